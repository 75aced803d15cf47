using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>
/// The error list of a select on Windows, which reports a failed connection attempt there and nowhere else. The list
/// holds the connecting sockets alone. On Unix a failed attempt is writable, and an error list would only add cost.
/// </summary>
internal sealed class ConnectErrors(SocketList writers)
{
    private readonly List<Socket> _connecting = [];

    /// <summary>The sockets to ask for; null when nothing is connecting.</summary>
    public List<Socket>? Rewind()
    {
        _connecting.Clear();
        for (int i = 0; i < writers.Members; i++)
        {
            WatchedSocket watched = writers.MemberAt(i)!;
            if ((watched.Entry.Interest & Interest.Connect) != 0)
            {
                _connecting.Add(watched.Socket);
            }
        }

        return _connecting.Count == 0 ? null : _connecting;
    }

    /// <summary>Reports the sockets that the select left in the list.</summary>
    public void Collect(List<SelectorEntry> ready)
    {
        for (int i = 0; i < writers.Members && _connecting.Count > 0; i++)
        {
            WatchedSocket watched = writers.MemberAt(i)!;
            if (_connecting.Contains(watched.Socket))
            {
                watched.Report(Interest.Connect, ready);
            }
        }
    }
}
