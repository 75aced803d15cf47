using SelectReactor.Testing;

namespace SelectReactor.Soak.Workloads;

/// <content>What must hold between ticks, and in the end.</content>
internal sealed partial class WorkloadRun
{
    private IEnumerable<Side> Sides => _calls.Select(static call => call.Caller).OfType<Side>().Concat(_callees);

    private bool IsOver()
    {
        foreach (Side side in _callees)
        {
            side.VerifyBounds();
        }

        foreach (Call call in _calls)
        {
            call.Caller?.VerifyBounds();
        }

        _judge.Verify();
        foreach (SimulatedHost host in _network.Hosts)
        {
            VerifyHandles(host);
        }

        return _calls.TrueForAll(static call => call.Attempt is { IsCompleted: true } attempt
                && (call.Caller!.Reason is not null || !attempt.IsCompletedSuccessfully))
            && _callees.TrueForAll(static callee => callee.Reason is not null)
            && _timers.TrueForAll(static timer => timer.IsDone);
    }

    // Each connection and listener has a key, and nothing else has but the attempts to connect; the listener's spare
    // descriptor alone has none. A shutdown closes the listener in the reactor's next tick.
    private void VerifyHandles(SimulatedHost host)
    {
        int open = host.Reactor.Connections.Count;
        int listeners = host == _server ? 1 : 0;
        int min = open + (_judge.IsServerStopping ? 0 : listeners);
        int max = open + listeners + MaxAttempts(host);
        Require.That(host.RegisteredKeys >= min, "every connection and listener has its key");
        Require.That(host.RegisteredKeys <= max, "every key belongs to something that is open");
        Require.That(host.RegisteredKeys <= host.OpenDescriptors, "no more keys than handles");
        Require.That(host.OpenDescriptors <= host.RegisteredKeys + listeners,
            "no more handles than keys, but for the spare one");
        Require.Equal(host.EvictedKeys, 0);
    }

    // A name has two addresses, which may be tried at the same time.
    private int MaxAttempts(SimulatedHost host)
    {
        int max = 0;
        foreach (Call call in _calls)
        {
            if (call.Attempt is { IsCompleted: false } && _clients[call.Plan.Client] == host)
            {
                max += call.Plan.ByName ? 2 : 1;
            }
        }

        return max;
    }

    private void Judge(Call call)
    {
        Side caller = call.Caller!;
        JudgeAttempt(call.Attempt!, caller);
        Require.That(
            caller.Reason?.Kind != CloseKind.PeerClosed || call.Callee is not null || _judge.IsServerStopping,
            "an end of stream comes from somebody");
        if (caller.IsClean && call.Callee is { IsClean: true } callee)
        {
            JudgeOrderly(caller, callee);
            JudgeOrderly(callee, caller);
        }

        JudgeTaken(caller, call.Callee);
        JudgeTaken(call.Callee, caller);
        if (_workload.IsCalm)
        {
            Require.That(
                call.Attempt!.IsCompletedSuccessfully || caller.Connection is not null,
                "nothing keeps a connect from its end");
            JudgeLinger(caller);
            JudgeLinger(call.Callee);
            JudgeCalm(caller, call.Callee, call.Plan.IsOrderly, call.Plan.Limits.LingerSeconds);
        }
    }

    private static void JudgeAttempt(Task<Connection> attempt, Side caller)
    {
        if (attempt.IsCompletedSuccessfully)
        {
            Require.That(
                attempt.Result == caller.Connection, "the attempt's connection is the one that the handler has");
            Require.That(caller.Reason is not null, "a connection that was opened is closed");
        }
        else if (caller.Connection is not null)
        {
            Require.That(
                caller.Reason is { Kind: CloseKind.HandlerFault, Error: { } fault }
                    && attempt.Exception?.InnerException == fault,
                "an attempt that fails has no connection, unless OnConnected threw");
        }
    }

    // What is not told to be lost, the peer's system has.
    private static void JudgeTaken(Side? side, Side? peer)
    {
        if (side is { Reason: { } reason } && peer is not null)
        {
            Require.That(
                peer.Taken >= side.Accepted - reason.UnsentBytes,
                $"the peer's system has what is not lost: {peer.Taken} of {side.Accepted}, {reason}");
        }
    }

    // On a network without faults every peer takes something within the shortest linger time.
    private static void JudgeLinger(Side? side) => Require.That(
        side?.Reason?.Error is not TimeoutException, $"nobody is late: {side?.Reason}");

    // Where nobody means harm, only a limit cuts a connection, or a peer that has closed and does not wait, or no
    // longer. The other side may learn of that or not.
    private void JudgeCalm(Side caller, Side? callee, bool isOrderly, int lingerSeconds)
    {
        bool waitsLong = lingerSeconds >= LimitPlan.LongLinger
            && _serving.LingerTimeout.TotalSeconds >= LimitPlan.LongLinger;

        if (!waitsLong || caller.Reason?.Kind == CloseKind.LimitExceeded
            || callee?.Reason?.Kind == CloseKind.LimitExceeded
            || caller.ClosesUnheard || callee is { ClosesUnheard: true })
        {
            JudgeCut(caller, isOrderly);
            JudgeCut(callee, isOrderly);
        }
        else if (isOrderly)
        {
            Require.That(callee is not null, "the header has arrived");
            Require.That(caller.IsClean, $"an orderly end, not {caller.Reason}");
            Require.That(callee!.IsClean, $"an orderly end, not {callee.Reason}");
        }
    }

    private static void JudgeCut(Side? side, bool isOrderly) => Require.That(
        !isOrderly
        || side?.Reason?.Kind is null or CloseKind.LimitExceeded or CloseKind.PeerReset or CloseKind.Local
            or CloseKind.PeerClosed,
        $"an end by a limit, not {side?.Reason}");

    // Whoever closes first may discard what the other still sends; whoever reads to the end has all.
    private static void JudgeOrderly(Side player, Side peer)
    {
        Require.That(player.HasWrittenAll, "who ends in good order has written all");
        Require.That(player.HasSeenEnd || !player.ReadsToTheEnd, $"who reads to the end has come to it: {player}");
        Require.That(player.HasSeenEnd ? player.Read == peer.Accepted : player.Read <= peer.Accepted,
            "all that was sent is read");
    }
}
