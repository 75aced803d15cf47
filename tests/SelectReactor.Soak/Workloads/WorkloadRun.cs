using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Testing;

namespace SelectReactor.Soak.Workloads;

/// <summary>Runs a workload on a network and checks, after each event, what must always hold, and at the end, what
/// must have come about.</summary>
internal sealed partial class WorkloadRun
{
    private const int Port = 7;

    /// <summary>Handlers throw on purpose, and nothing else may.</summary>
    private static readonly ReactorOptions _reactor =
        new() { PropagateExceptions = true, Logger = NullLogger.Instance };

    private static readonly TimeSpan _longest = TimeSpan.FromHours(3);
    private readonly SimulatedNetwork _network;
    private readonly Workload _workload;
    private readonly Judge _judge = new();
    private readonly List<Call> _calls = [];
    private readonly List<Side> _callees = [];
    private readonly List<TimerCheck> _timers = [];
    private readonly SimulatedHost _server;
    private readonly SimulatedHost[] _clients;

    /// <summary>The limits of all callees, since they have one listener: those of the first call.</summary>
    private readonly ConnectionOptions _serving;

    private WorkloadRun(SimulatedNetwork network, Workload workload)
    {
        _network = network;
        _workload = workload;
        _server = network.AddHost("server", _reactor);
        _clients = [.. Enumerable.Range(1, 3).Select(number => network.AddHost($"client{number}", _reactor))];
        _serving = Options(
            workload.Connections.FirstOrDefault()?.Limits ?? new LimitPlan(1, 1, 1, 1, LimitPlan.LongLinger));
    }

    public static void Execute(SimulatedNetwork network, Workload workload) =>
        new WorkloadRun(network, workload).Execute();

    private void Execute()
    {
        _network.Note(_workload.ToString());
        _server.Reactor.Listen(_server.EndPoint(Port), NewCallee, new ListenerOptions { Connection = _serving });
        foreach (ConnectionPlan plan in _workload.Connections)
        {
            var call = new Call(_calls.Count, plan);
            _calls.Add(call);
            _network.Schedule(TimeSpan.FromMilliseconds(plan.StartMs), () => Begin(call));
        }

        var order = new TimerOrder(_workload.IsPunctual);
        foreach (TimerPlan plan in _workload.Timers)
        {
            var timer = new TimerCheck(_network, _server.Reactor, plan, order, _judge);
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

        // A method may have begun to wait for a moment just before the end.
        _network.RunFor(TimeSpan.FromSeconds(1));
        Leaks.None(_network, _judge.IsServerStopping ? 0 : 1);
        _judge.Verify();
        _calls.ForEach(Judge);
        Require.That(Sides.All(static side => side.IsIdle), "no asynchronous method is left waiting");
    }

    private static ConnectionOptions Options(LimitPlan limits) => new()
    {
        OutputHighWaterMark = limits.HighWaterMark,
        OutputLowWaterMark = limits.HighWaterMark / 2,
        InputPauseThreshold = limits.PauseThreshold,
        MaxInputBytes = limits.MaxInputBytes,
        MaxOutputBytes = limits.MaxOutputBytes,

        // A peer may be slow, and the network may forget one end of a connection: everything ends all the same.
        LingerTimeout = TimeSpan.FromSeconds(limits.LingerSeconds),
        MaxLingerTime = Timeout.InfiniteTimeSpan,
        IdleTimeout = TimeSpan.FromMinutes(20),
        WriteProgressTimeout = TimeSpan.FromMinutes(10),
    };

    // Before the header has come nobody knows whose call it is: the kinds take turns.
    private IConnectionHandler NewCallee(Connection connection)
    {
        bool isAsync = _workload.Connections[_callees.Count % _workload.Connections.Length].Callee.IsAsync;
        (Side side, IConnectionHandler handler) = NewSide(isAsync, CallOf, call: null, _serving);
        _callees.Add(side);
        return handler;
    }

    private Call? CallOf(int number) => number >= 0 && number < _calls.Count ? _calls[number] : null;

    private (Side Side, IConnectionHandler Handler) NewSide(
        bool isAsync, Func<int, Call?> callOf, Call? call, ConnectionOptions limits)
    {
        if (isAsync)
        {
            var player = new AsyncPlayer(_judge, _network.StreamOf, callOf, call, limits);
            return (player, player.Handler);
        }

        var plain = new Player(_judge, _network.StreamOf, callOf, call, limits);
        return (plain, plain);
    }

    private void Begin(Call call)
    {
        ConnectionOptions limits = Options(call.Plan.Limits);
        (call.Caller, IConnectionHandler handler) = NewSide(call.Plan.Caller.IsAsync, static _ => null, call, limits);
        var address = call.Plan.ByName ? new DnsEndPoint(_server.Name, Port) : (EndPoint)_server.EndPoint(Port);
        call.Attempt = _clients[call.Plan.Client].Reactor.ConnectAsync(
            address,
            handler,
            new ConnectOptions { Timeout = TimeSpan.FromMinutes(1), Connection = limits });
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
                _judge.IsServerStopping = true;
                _server.Reactor.ShutdownAsync(duration);
                break;
            default:
                break;
        }
    }
}
