using System.Globalization;
using SelectReactor.LoadTest.Load;

namespace SelectReactor.LoadTest.Orchestration;

/// <summary>
/// The guard for continuous integration that no noise reaches: the system calls that a server makes for a message, and
/// for a connection that is accepted, echoes one message and ends.
/// </summary>
internal static class CallCheck
{
    private const double Seconds = 3;

    /// <summary>What the start of a server may take of each kind, and the messages by which the generator checks it;
    /// in three seconds it is some percent of the whole.</summary>
    private const int CallsOfStart = 1000;

    /// <summary>For a message, with fifty connections that have one in flight each: a receive, a send and a share of a
    /// wait. For a connection: two receives, since the second finds its end, and eight options. Two make it
    /// non-blocking, and six ask at its close for errors and for what was acknowledged.</summary>
    private static readonly Kind[] _kinds =
    [
        new("receive", PerMessage: 1, PerConnection: 2, ["recvfrom", "recvmsg", "read"]),
        new("send", PerMessage: 1, PerConnection: 1, ["sendto", "sendmsg", "write", "writev"]),
        new("wait", PerMessage: 0.25, PerConnection: 1.6, ["poll", "ppoll", "pselect6", "epoll_wait", "epoll_pwait"]),
        new("watch", PerMessage: 0, PerConnection: 2, ["epoll_ctl"]),
        new("accept", PerMessage: 0, PerConnection: 1, ["accept", "accept4"]),
        new("option", PerMessage: 0, PerConnection: 8, ["setsockopt", "getsockopt", "fcntl", "ioctl"]),
        new("name", PerMessage: 0, PerConnection: 0, ["getsockname", "getpeername"]),
        new("end", PerMessage: 0, PerConnection: 2, ["shutdown", "close"]),
        new("futex", PerMessage: 0, PerConnection: 0, ["futex"]),
    ];

    /// <summary>Writes two lines for each server.</summary>
    /// <returns>Whether all are within the bounds.</returns>
    public static bool Check(IEnumerable<string> servers)
    {
        var echo = new LoadOptions { Mode = LoadMode.Echo, Connections = 50, Warmup = 0, Seconds = Seconds };
        LoadOptions accept = echo with { Mode = LoadMode.Accept };
        bool isWithin = true;
        foreach (string server in servers)
        {
            isWithin &= Check(server, "message", port => EchoLoad.Run(echo with { Port = port })[0]);
            isWithin &= Check(server, "connection", port => AcceptLoad.Run(accept with { Port = port }));
        }

        return isWithin;
    }

    private static bool Check(string server, string unit, Func<int, LoadResult> load)
    {
        using var traced = new TracedServer(server);
        long units = load(traced.Port).Messages;
        Dictionary<string, long> counts = traced.End();
        bool isWithin = true;
        var parts = new List<string>();
        foreach (Kind kind in _kinds)
        {
            long count = kind.Calls.Sum(call => counts.GetValueOrDefault(call));
            double bound = unit == "message" ? kind.PerMessage : kind.PerConnection;
            bool exceeds = count > (bound * units) + CallsOfStart;
            isWithin &= !exceeds;
            parts.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"{kind.Name} {count / (double)units:F2}{(exceeds ? " EXCEEDS" : " of")} {bound}"));
        }

        Console.WriteLine($"{server}, system calls per {unit} (of {units}): {string.Join(", ", parts)}");
        return isWithin;
    }

    /// <summary>Calls that do the same work under different names, and the most of them.</summary>
    private sealed record Kind(string Name, double PerMessage, double PerConnection, string[] Calls);
}
