using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>What a <see cref="SelectSelector"/> stores with an entry.</summary>
internal sealed class WatchedSocket(SelectorEntry entry, SocketHandle handle)
{
    public SelectorEntry Entry => entry;

    public SocketHandle Handle => handle;

    public Socket Socket => handle.Socket;

    /// <summary>The index in the list of readers; negative when it is not in it.</summary>
    public int ReadIndex { get; set; } = -1;

    /// <summary>The index in the list of writers; negative when it is not in it.</summary>
    public int WriteIndex { get; set; } = -1;

    /// <summary>The number of the full scan after which the socket was last ready or changed.</summary>
    public int LastActiveScan { get; set; }

    public void Report(Interest found, List<SelectorEntry> ready)
    {
        if (entry.Ready == Interest.None)
        {
            ready.Add(entry);
        }

        entry.Ready |= found;
    }

    public static WatchedSocket Of(SelectorEntry entry) => (WatchedSocket)entry.State!;
}
