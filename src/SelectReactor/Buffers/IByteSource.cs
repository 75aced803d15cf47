namespace SelectReactor.Buffers;

/// <summary>Shows the bytes of a chain to readers.</summary>
internal interface IByteSource
{
    /// <summary>Whether a reader may use the bytes now.</summary>
    bool IsShown { get; }

    /// <summary>Whether the bytes are for many queues: the memory of their blocks is no burden of a single
    /// one.</summary>
    bool IsForMany { get; }
}
