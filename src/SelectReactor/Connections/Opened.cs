using System.Net;
using SelectReactor.Diagnostics;

namespace SelectReactor.Connections;

/// <summary>A connected handle that becomes a connection, with what is known of it so far. The steps of an
/// <see cref="OpeningSequence"/> replace one value by the next.</summary>
internal readonly struct Opened(Handle handle, EndPoint? localEndPoint = null)
{
    /// <summary>The handle that the connection receives from and sends to. A step may put its own around it (see
    /// <see cref="SelectReactor.Handle.Watched"/>).</summary>
    public Handle Handle { get; init; } = handle;

    /// <summary>The address that the connection shows as its own.</summary>
    public EndPoint? LocalEndPoint { get; init; } = localEndPoint ?? handle.LocalEndPoint;

    /// <summary>The address that the connection shows as its peer's.</summary>
    public EndPoint? RemoteEndPoint { get; init; } = handle.RemoteEndPoint;

    /// <summary>Where the connection is counted.</summary>
    public ConnectionCounts Counts
    {
        get => field ?? ConnectionCounts.Unused;
        init;
    }

    /// <summary>Bytes that were received from <see cref="Handle"/> already. Whoever comes next, a step or the input of
    /// the connection, gets them first.</summary>
    public ReadOnlyMemory<byte> Received { get; init; }

    /// <summary>What the steps have to tell later. Null if there is nothing.</summary>
    public OpeningFacts? Facts { get; init; }
}
