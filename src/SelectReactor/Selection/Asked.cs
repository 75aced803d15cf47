namespace SelectReactor.Selection;

/// <summary>Which readers one call of a <see cref="SocketPoll"/> asks for.</summary>
internal enum Asked
{
    /// <summary>All of them, and all writers.</summary>
    All,

    /// <summary>The hot ones, and all writers.</summary>
    Hot,

    /// <summary>The next slice of the cold ones.</summary>
    Slice,
}
