namespace SelectReactor.Selection;

/// <summary>Bytes inside a handle that is put around another one.</summary>
[Flags]
internal enum HeldBytes : byte
{
    None = 0,

    /// <summary>The next receive brings something without waiting for the selector.</summary>
    Input = 1,

    /// <summary>Some bytes wait for room in the inner handle.</summary>
    Output = 2,
}
