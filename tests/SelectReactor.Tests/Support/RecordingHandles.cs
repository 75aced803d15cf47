using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor.Tests.Support;

/// <summary>Makes real sockets and remembers them, so that a test can count its own in a process that opens
/// others.</summary>
public sealed class RecordingHandles : IHandleFactory
{
    /// <summary>All that were made, in order.</summary>
    public List<Handle> Made { get; } = [];

    /// <summary>The number of those that are not closed.</summary>
    public int Open => Made.Count(static handle => !handle.IsClosed);

    /// <summary>Called for each new handle before the reactor has it.</summary>
    public Action<SocketHandle>? Prepare { get; set; }

    public Handle CreateStream(AddressFamily family) => Record(SocketHandleFactory.Instance.CreateStream(family));

    public Handle CreateListener(AddressFamily family) => Record(SocketHandleFactory.Instance.CreateListener(family));

    private Handle Record(Handle handle)
    {
        Made.Add(handle);
        Prepare?.Invoke((SocketHandle)handle);
        return handle;
    }
}
