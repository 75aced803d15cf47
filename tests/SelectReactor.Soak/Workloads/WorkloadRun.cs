using System.Net;
using System.Net.Sockets;
using SelectReactor.Buffers;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Workloads;

/// <summary>Runs a workload on a network and checks, after each event, what must always hold, and at the end, what must
/// have come about.</summary>
internal sealed class WorkloadRun
{
    private const int Port = 7;
    private const int MaxInputBytes = 300_000;
    private const int MaxOutputBytes = 400_000;
    private const int LargestReceive = 128 * 1024;
    /// <summary>Handlers throw on purpose, and nothing else may.</summary>
    private static readonly ReactorOptions _reactor = new() { PropagateExceptions = true };

    private static readonly TimeSpan _longest = TimeSpan.FromHours(3);
    private readonly SimulatedNetwork _network;
    private readonly Workload _workload;
    private readonly Judge _judge = new();
    private readonly List<Call> _calls = [];
    private readonly List<Side> _callees = [];
    private readonly List<TimerCheck> _timers = [];
    private readonly SimulatedHost _server;
    private readonly SimulatedHost[] _clients;

    private WorkloadRun(SimulatedNetwork network, Workload workload)
    {
        _network = network;
        _workload = workload;
        _server = network.AddHost("server", _reactor);
        _clients = [.. Enumerable.Range(1, 3).Select(number => network.AddHost($"client{number}", _reactor))];
    }

    public static void Execute(SimulatedNetwork network, Workload workload) => new WorkloadRun(network, workload).Execute();

    private void Execute()
    {
        // The limits of the two sides of a call are the same; the listener has one set for all.
        ConnectionPlan? narrow = _workload.Connections.FirstOrDefault();
        _server.Reactor.Listen(_server.EndPoint(Port), NewCallee, new ListenerOptions { Connection = Options(narrow) });
        foreach (ConnectionPlan plan in _workload.Connections)
        {
            var call = new Call(_calls.Count, plan);
            _calls.Add(call);
            _network.Schedule(TimeSpan.FromMilliseconds(plan.StartMs), () => Begin(call));
        }

        foreach (TimerPlan plan in _workload.Timers)
        {
            var timer = new TimerCheck(_network, _server.Reactor, plan, _judge);
            _timers.Add(timer);
            _network.Schedule(TimeSpan.FromMilliseconds(plan.StartMs), timer.Start);
        }

        foreach (FaultPlan fault in _workload.Faults)
        {
            _network.Schedule(TimeSpan.FromMilliseconds(fault.AtMs), () => Disturb(fault));
        }

        _network.RunUntil(IsOver, _longest);

        // A caller that went away at once may still be on its way to the server.
        _network.RunUntilIdle();
        _network.RunUntil(IsOver, _longest);
        _judge.Verify();
        _calls.ForEach(Judge);
        Leaks.None(_network);
    }

    private static ConnectionOptions Options(ConnectionPlan? plan) => new()
    {
        OutputHighWaterMark = plan?.HighWaterMark ?? 64 * 1024,
        OutputLowWaterMark = (plan?.HighWaterMark ?? 64 * 1024) / 2,
        InputPauseThreshold = plan?.PauseThreshold ?? 64 * 1024,
        MaxInputBytes = MaxInputBytes,
        MaxOutputBytes = MaxOutputBytes,

        // A peer may be slow, and the network may forget one end of a connection: everything ends all the same.
        LingerTimeout = TimeSpan.FromMinutes(10),
        IdleTimeout = TimeSpan.FromMinutes(20),
        WriteProgressTimeout = TimeSpan.FromMinutes(10),
    };

    // Before the header has come nobody knows whose call it is: the kinds take turns.
    private IConnectionHandler NewCallee(Connection connection)
    {
        bool isAsync = _workload.Connections[_callees.Count % _workload.Connections.Length].Callee.IsAsync;
        (Side side, IConnectionHandler handler) = NewSide(isAsync, CallOf, call: null);
        _callees.Add(side);
        return handler;
    }

    private Call? CallOf(int number) => number >= 0 && number < _calls.Count ? _calls[number] : null;

    private (Side Side, IConnectionHandler Handler) NewSide(bool isAsync, Func<int, Call?> callOf, Call? call)
    {
        if (isAsync)
        {
            var player = new AsyncPlayer(_judge, callOf, call);
            return (player, player.Handler);
        }

        var plain = new Player(_judge, callOf, call);
        return (plain, plain);
    }

    private void Begin(Call call)
    {
        (call.Caller, IConnectionHandler handler) = NewSide(call.Plan.Caller.IsAsync, static _ => null, call);
        var address = call.Plan.ByName ? new DnsEndPoint(_server.Name, Port) : (EndPoint)_server.EndPoint(Port);
        call.Attempt = _clients[call.Plan.Client].Reactor.ConnectAsync(
            address,
            handler,
            new ConnectOptions { Timeout = TimeSpan.FromMinutes(1), Connection = Options(call.Plan) });
    }

    private void Disturb(FaultPlan fault)
    {
        SimulatedHost host = fault.Host < _clients.Length ? _clients[fault.Host] : _server;
        var duration = TimeSpan.FromMilliseconds(fault.DurationMs);
        switch (fault.Kind)
        {
            case FaultKind.Reset:
                _network.Reset(host, _server);
                break;
            case FaultKind.Partition when host != _server:
                _network.Partition(host, _server);
                _network.Schedule(duration, () => _network.Heal(host, _server));
                break;
            case FaultKind.Stall:
                host.Stall(duration);
                break;
            case FaultKind.Leap:
                _network.Clock.Leap(duration);
                break;
            case FaultKind.StepWallClock:
                _network.Clock.StepWallClock(TimeSpan.FromMilliseconds(fault.DurationMs - 50));
                break;
            case FaultKind.Freeze:
                _network.Clock.Freeze();
                _network.Schedule(duration, _network.Clock.Resume);
                break;
            case FaultKind.Exhaust:
                int before = host.MaxDescriptors;
                host.MaxDescriptors = host.OpenDescriptors;
                _network.Schedule(duration, () => host.MaxDescriptors = Math.Max(before, host.MaxDescriptors));
                break;
            case FaultKind.FailAccepts:
                _server.FailAccepts(SocketError.ConnectionAborted, 1 + (fault.DurationMs % 3));
                break;
            case FaultKind.Spend:
                host.Reactor.Post(() => host.Spend(duration));
                break;
            case FaultKind.Shutdown when host == _server:
                _server.Reactor.ShutdownAsync(duration);
                break;
            default:
                break;
        }
    }

    private bool IsOver()
    {
        _judge.Verify();
        foreach (SimulatedHost host in _network.Hosts)
        {
            VerifyBounds(host);
        }

        return _calls.TrueForAll(static call => call.Attempt is { IsCompleted: true } attempt
                && (call.Caller!.Reason is not null || !attempt.IsCompletedSuccessfully))
            && _callees.TrueForAll(static callee => callee.Reason is not null)
            && _timers.TrueForAll(static timer => timer.IsDone);
    }

    private static void VerifyBounds(SimulatedHost host)
    {
        Require.That(host.RegisteredKeys <= host.OpenDescriptors, "no more keys than handles");
        Require.Equal(host.EvictedKeys, 0);
        foreach (Connection connection in host.Reactor.Connections)
        {
            Require.That(connection.QueuedOutputBytes <= MaxOutputBytes, "output is bounded");
            Require.That(((InputBuffer)connection.Input).Unconsumed <= MaxInputBytes + LargestReceive, "input is bounded");
        }
    }

    private void Judge(Call call)
    {
        if (!_workload.IsCalm)
        {
            return;
        }

        Side caller = call.Caller!;
        Require.That(call.Attempt!.IsCompletedSuccessfully, "nothing keeps a connect from its end");
        if (!call.Plan.IsOrderly)
        {
            return;
        }

        // Whoever closes first may discard what the other still sends; whoever reads to the end has all.
        Require.That(call.Callee is not null, "the header has arrived");
        JudgeOrderly(caller, call.Callee!);
        JudgeOrderly(call.Callee!, caller);
    }

    private static void JudgeOrderly(Side player, Side peer)
    {
        Require.That(player.Reason!.Value.Kind is CloseKind.Local or CloseKind.PeerClosed, $"an orderly end, not {player.Reason}");
        Require.Equal(player.Reason.Value.UnsentBytes, 0);
        Require.That(player.Reason.Value.Error is null, $"no error: {player.Reason}");
        Require.That(player.HasSeenEnd ? player.Read == peer.Written : player.Read <= peer.Written, "all that was sent is read");
    }
}
