using System.Net;
using SelectReactor;

namespace KeyValueServer;

/// <summary>Puts the parts together: one store and one set of commands for all the sessions.</summary>
internal static class Server
{
    private const int MostEntriesPerSweep = 1000;
    private static readonly TimeSpan _sweepPeriod = TimeSpan.FromMilliseconds(100);

    public static Listener Listen(Reactor reactor, EndPoint endPoint)
    {
        var store = new KeyValueStore(reactor.TimeProvider);
        var commands = new Commands(store, () => reactor.Connections.Count);
        var splitter = new InlineSplitter();
        reactor.SchedulePeriodic(_sweepPeriod, _sweepPeriod, () => store.Sweep(MostEntriesPerSweep));
        return reactor.Listen(
            endPoint,
            connection => new Session(commands, splitter),
            new ListenerOptions { Connection = Session.Options });
    }
}
