using System.Net;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using SelectReactor;

namespace Dashboard;

/// <summary>Takes a snapshot each second and gives it to the pages that watch.</summary>
internal sealed class Watcher(HostedReactor hosted, Readings readings, TimeProvider time) : BackgroundService
{
    private const int MaxRows = 50;
    private readonly Lock _gate = new();
    private readonly List<Channel<Snapshot>> _watching = [];
    private Snapshot? _last;

    private IReadOnlyList<Reactor> Reactors => hosted.Group.Reactors;

    /// <summary>The snapshots from now on, the last one at once.</summary>
    public async IAsyncEnumerable<Snapshot> WatchAsync([EnumeratorCancellation] CancellationToken gone)
    {
        // A page that is too slow misses some.
        var snapshots = Channel.CreateBounded<Snapshot>(
            new BoundedChannelOptions(2) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (_gate)
        {
            _watching.Add(snapshots);
            if (_last is not null)
            {
                snapshots.Writer.TryWrite(_last);
            }
        }

        try
        {
            await foreach (Snapshot snapshot in snapshots.Reader.ReadAllAsync(gone))
            {
                yield return snapshot;
            }
        }
        finally
        {
            lock (_gate)
            {
                _watching.Remove(snapshots);
            }
        }
    }

    /// <summary>Closes a connection in good order.</summary>
    /// <returns>False if there is none.</returns>
    public async Task<bool> CloseAsync(int reactor, long id)
    {
        if (reactor < 0 || reactor >= Reactors.Count)
        {
            return false;
        }

        return await Reactors[reactor].InvokeAsync(() =>
        {
            Connection? connection = Reactors[reactor].Connections.FirstOrDefault(each => each.Id == id);
            connection?.Close();
            return connection is not null;
        }).WaitAsync(TimeSpan.FromSeconds(5), time);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), time);
        long before = time.GetTimestamp();
        int port = ((IPEndPoint)hosted.GetListener(EchoHandler.Server).LocalEndPoint).Port;
        IReadOnlyDictionary<string, double> numbers = readings.Take(port, out _);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                IReadOnlyDictionary<string, double> earlier = numbers;
                double seconds = time.GetElapsedTime(before).TotalSeconds;
                before = time.GetTimestamp();
                numbers = readings.Take(port, out TimeSpan lag);
                Publish(new Snapshot
                {
                    Time = time.GetUtcNow(),
                    Connections = (long)Now("selectreactor.active_connections"),
                    Opened = (long)Now("selectreactor.opened_connections"),
                    ReceivedPerSecond = Rate("selectreactor.network.io receive"),
                    SentPerSecond = Rate("selectreactor.network.io transmit"),
                    LagMilliseconds = lag.TotalMilliseconds,
                    Memory = (long)Now("selectreactor.pooled_memory"),
                    Rows = await ListAsync(stoppingToken),
                });

                double Now(string name) => numbers.GetValueOrDefault(name);

                double Rate(string name) => (Now(name) - earlier.GetValueOrDefault(name)) / seconds;
            }
        }
        catch (OperationCanceledException)
        {
            // The host stops: so do the pages' streams, which would hold it up.
        }
        finally
        {
            lock (_gate)
            {
                _watching.ForEach(static snapshots => snapshots.Writer.TryComplete());
            }
        }
    }

    private void Publish(Snapshot snapshot)
    {
        lock (_gate)
        {
            _last = snapshot;
            _watching.ForEach(snapshots => snapshots.Writer.TryWrite(snapshot));
        }
    }

    // A loop that hangs leaves its rows out, and shows in the lag.
    private async Task<IReadOnlyList<Row>> ListAsync(CancellationToken stopping)
    {
        List<Row> rows = [];
        for (int i = 0; i < Reactors.Count; i++)
        {
            int reactor = i;
            try
            {
                rows.AddRange(await Reactors[i].InvokeAsync(() => List(reactor))
                    .WaitAsync(TimeSpan.FromMilliseconds(500), time, stopping));
            }
            catch (Exception exception) when (exception is TimeoutException or ObjectDisposedException)
            {
                continue;
            }
        }

        return [.. rows.OrderByDescending(static row => row.Queued).ThenByDescending(static row => row.Sent)
            .Take(MaxRows)];
    }

    // On the reactor's thread.
    private List<Row> List(int reactor) =>
    [
        .. Reactors[reactor].Connections.Select(connection => new Row(
            reactor,
            connection.Id,
            $"{connection.RemoteEndPoint}",
            $"{connection.State}",
            connection.UserState is long opened ? time.GetElapsedTime(opened).TotalSeconds : 0,
            connection.Statistics.BytesReceived,
            connection.Statistics.BytesSent,
            connection.QueuedOutputBytes)),
    ];
}
