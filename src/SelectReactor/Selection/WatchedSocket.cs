using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>What a <see cref="SelectSelector"/> stores with an entry.</summary>
internal sealed class WatchedSocket(SelectorEntry entry)
{
    /// <summary>How many looks in vain a new socket stays hot for.</summary>
    public const int NewPatience = 8;

    /// <summary>How many looks in vain a cold socket that has become hot stays hot for.</summary>
    public const int WarmPatience = 64;

    /// <summary>How many looks in vain a socket stays hot for that was ready again and again.</summary>
    public const int MaxPatience = 256;

    private int _patience = NewPatience;

    public SelectorEntry Entry => entry;

    public SocketHandle Handle => (SocketHandle)entry.Handle;

    public Socket Socket => Handle.Socket;

    /// <summary>The index in the list of readers; negative when it is not in it.</summary>
    public int ReadIndex { get; set; } = -1;

    /// <summary>The index in the list of writers; negative when it is not in it.</summary>
    public int WriteIndex { get; set; } = -1;

    /// <summary>The number of the look after which the socket is no longer hot.</summary>
    public int HotUntil { get; private set; }

    /// <summary>The socket is hot for a while from this look on.</summary>
    public void KeepHot(int look) => HotUntil = look + _patience;

    /// <summary>The socket was ready: it is hot for longer than the last time.</summary>
    public void Touch(int look, bool wasHot)
    {
        _patience = wasHot ? Math.Min(_patience * 2, MaxPatience) : WarmPatience;
        KeepHot(look);
    }

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
