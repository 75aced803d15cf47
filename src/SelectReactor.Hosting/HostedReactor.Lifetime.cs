using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using SelectReactor.Hosting;

namespace SelectReactor;

/// <content>The start and the end. No wait is unbounded: a callback of the user's may block a loop for ever.</content>
public sealed partial class HostedReactor
{
    /// <summary>What outgoing connections have in any case, unless the time-out is shorter.</summary>
    private static readonly TimeSpan _minTimeOfClients = TimeSpan.FromSeconds(2);

    /// <summary>A wait for a task can't be as long as a time-out.</summary>
    private static readonly TimeSpan _longWait = TimeSpan.FromDays(1);

    private readonly TaskCompletionSource _othersHaveStopped =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private enum Phase
    {
        Open,
        Stopping,

        /// <summary>The loops had their time to end, and did not.</summary>
        GivenUp,
    }

    /// <summary>Disposes of the reactors. The host does it, after it has stopped them. Waits until the loops have
    /// ended and the scopes of the connections are disposed of, but not longer than
    /// <see cref="ReactorGroupOptions.DisposeTimeout"/>, which is two seconds in a host, and not on a reactor's
    /// thread.</summary>
    public void Dispose()
    {
        bool waits = _phase != Phase.GivenUp && !Group.Reactors.Any(static reactor => reactor.IsReactorThread);
        NoteStop();
        foreach (Reactor reactor in Group.Reactors)
        {
            reactor.Dispose();
        }

        if (waits && Task.WaitAny([_end.Value], _timeToEnd) < 0)
        {
            GiveUp();
        }

        _certificates.ForEach(static certificate => certificate.Dispose());
    }

    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        var listeners = new Dictionary<string, GroupListener>(StringComparer.OrdinalIgnoreCase);
        try
        {
            foreach (Registration server in _registrations.Of<ServerOptions>())
            {
                cancellationToken.ThrowIfCancellationRequested();
                listeners.Add(
                    server.Name, await ListenAsync(server).WaitAsync(cancellationToken).ConfigureAwait(false));
            }
        }
        catch
        {
            await CutAsync().ConfigureAwait(false);
            throw;
        }

        _listeners = listeners;
        WarnOfUnknownNames();
        _outgoing.Start(_logger);
        foreach (Reactor reactor in Group.Reactors)
        {
            reactor.Stopping.UnsafeRegister(static self => ((HostedReactor)self!).NoteEnd(), this);
        }
    }

    /// <summary>Begins the stop with the servers: they close, and their connections go on until the time-out of the
    /// options. Other services may still use connections to elsewhere until <see cref="StopAsync"/>.</summary>
    internal void BeginStop(CancellationToken cancellationToken) => _ = StopOnce(cancellationToken);

    /// <summary>Lets the connections of servers go on until the time-out of the options, and then those to elsewhere,
    /// or all until the token is cancelled; then the loops have a short time to end. A further call gives the task of
    /// the first one.</summary>
    /// <exception cref="InvalidOperationException">A fault has ended a loop.</exception>
    /// <exception cref="TimeoutException">A loop or a scope does not end.</exception>
    internal Task StopAsync(CancellationToken cancellationToken)
    {
        _othersHaveStopped.TrySetResult();
        return StopOnce(cancellationToken);
    }

    private Task StopOnce(CancellationToken cancellationToken)
    {
        lock (_stopping)
        {
            return _stop ??= StopInTurnAsync(cancellationToken);
        }
    }

    private async Task StopInTurnAsync(CancellationToken cancellationToken)
    {
        NoteStop();
        Task end = _end.Value;
        await DrainAsync(end).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!end.IsCompleted)
        {
            LogCut();
            await CutAsync().ConfigureAwait(false);
        }

        if (end.Exception?.InnerException is { } fault)
        {
            throw new InvalidOperationException(
                $"A fault has ended a loop of the reactors \"{_name}\": {fault.Message}", fault);
        }

        if (_phase == Phase.GivenUp)
        {
            // The program must not end as if all were well.
            throw new TimeoutException(
                $"The reactors \"{_name}\" have not ended within {_timeToEnd} of the end of the host's time-out: a "
                    + "callback blocks a loop, or services are not disposed of. The log has the numbers.");
        }
    }

    /// <summary>First the servers end, and when others have stopped, too, all that is left.</summary>
    private async Task DrainAsync(Task end)
    {
        Task drained = DrainServersAsync();
        await Task.WhenAny(_othersHaveStopped.Task, end).ConfigureAwait(false);
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAny(drained, end).ConfigureAwait(false);

        // The servers' connections may have used up the time. Those to elsewhere were told only now.
        TimeSpan left = _options.DrainTimeout;
        if (left > _minTimeOfClients)
        {
            left -= Stopwatch.GetElapsedTime(start);
            left = left > _minTimeOfClients ? left : _minTimeOfClients;
        }

        _ = Group.ShutdownAsync(left);
        await end.ConfigureAwait(false);
    }

    private async Task DrainServersAsync()
    {
        TimeSpan time = _options.DrainTimeout;
        IEnumerable<GroupListener> servers = _listeners?.Values.AsEnumerable() ?? [];

        // A blocked loop closes nothing.
        await Task.WhenAll([.. servers.Select(server => server.DrainAsync(time))])
            .WaitAsync(time < _longWait ? time : Timeout.InfiniteTimeSpan)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private void LogCut()
    {
        int connections = Group.Statistics.Connections;
        int scopes = _scopes.Left;
        if (connections > 0)
        {
            HostingLog.DrainCut(_logger, connections);
        }
        else if (scopes > 0)
        {
            HostingLog.ScopesLeft(_logger, scopes, _timeToEnd);
        }
    }

    /// <summary>Ends the loops now, and waits a bounded time for it: a callback may block one for ever.</summary>
    private async Task CutAsync()
    {
        NoteStop();
        Task end = _end.Value;
        _ = Group.ShutdownAsync(TimeSpan.Zero);
        await end.WaitAsync(_timeToEnd).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!end.IsCompleted)
        {
            GiveUp();
        }
    }

    private async Task WaitForEndAsync()
    {
        Task loops = Group.Completion;
        await loops.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _scopes.EndAsync().ConfigureAwait(false);
        await loops.ConfigureAwait(false);
    }

    private void WarnOfUnknownNames()
    {
        foreach (UnknownName unknown in ConfigurationNames.Find(
            _registrations, [.. _services.GetServices<Registrations>()]))
        {
            HostingLog.UnknownName(_logger, unknown.Path, unknown.Fault);
        }
    }

    private void NoteStop()
    {
        if (_phase == Phase.Open)
        {
            _phase = Phase.Stopping;
        }
    }

    private void GiveUp()
    {
        _phase = Phase.GivenUp;

        // A loop that has ended takes no posts.
        int loops = Group.Reactors.Count(static reactor => reactor.TryPost(static () => { }));
        HostingLog.DoesNotEnd(_logger, _name, loops, _scopes.Left);

        // The container disposes of clients and pools, which would wait for a loop that is not disposed.
        foreach (Reactor reactor in Group.Reactors)
        {
            reactor.Dispose();
        }
    }

    private async Task<GroupListener> ListenAsync(Registration server)
    {
        ServerOptions options =
            _services.GetRequiredService<IOptionsMonitor<ServerOptions>>().Get(FullName(server.Name));
        ListenerOptions listening = options.Listener.Clone();
        EndPoint endPoint = options.ListenOn ?? EndPointParser.TryParse(options.EndPoint!, isServer: true)!;
        if (options.ListenOn is null && options.EndPoint!.StartsWith('*'))
        {
            listening.DualMode = true;
        }

        GroupListener listener;
        try
        {
            if (ServerSecurity.Apply(options, listening, _logger) is { } certificate)
            {
                _certificates.Add(certificate);
            }

            listener = await ListenAsync(endPoint, SourceOf(server).Create, listening).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException(
                $"The server \"{server.Name}\" did not start. {exception.Message}", exception);
        }

        HostingLog.Started(_logger, server.Name, $"{listener.LocalEndPoint}");
        return listener;
    }

    private async Task<GroupListener> ListenAsync(
        EndPoint endPoint, Func<Connection, IConnectionHandler> handlerFactory, ListenerOptions options)
    {
        try
        {
            return await Group.ListenAsync(endPoint, handlerFactory, options).ConfigureAwait(false);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.AddressFamilyNotSupported
            && options.DualMode && endPoint is IPEndPoint { Port: int port } ip
            && ip.Address.Equals(IPAddress.IPv6Any))
        {
            // All addresses of a system without IPv6.
            options.DualMode = false;
            return await Group.ListenAsync(new IPEndPoint(IPAddress.Any, port), handlerFactory, options)
                .ConfigureAwait(false);
        }
    }

    // A dead loop can't serve anybody: whatever runs the program starts it anew. On another thread, since callbacks of
    // the program may wait for this one.
    private void NoteEnd()
    {
        if (_phase == Phase.Open)
        {
            HostingLog.LoopEnded(_logger, _name);
            ThreadPool.UnsafeQueueUserWorkItem(
                static lifetime => lifetime?.StopApplication(), _lifetime, preferLocal: false);
        }
    }
}
