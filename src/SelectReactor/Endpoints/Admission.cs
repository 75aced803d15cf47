using System.Net;
using Microsoft.Extensions.Logging;
using SelectReactor.Connections;
using SelectReactor.Diagnostics;
using SelectReactor.Dispatch;
using SelectReactor.ProxyProtocol;
using SelectReactor.Selection;

namespace SelectReactor.Endpoints;

/// <summary>
/// Decides about each accepted client of one listener: limits on connections, the accept filter, the handler factory.
/// It opens the connections of those that it admits and counts them. A failure here refuses one client and no other.
/// </summary>
internal sealed partial class Admission : IAdmission
{
    private readonly Reactor _reactor;
    private readonly ListenerOptions _options;
    private readonly IReadOnlyList<Func<OpeningStep>> _steps;
    private readonly Func<Connection, IConnectionHandler> _handlerFactory;
    private readonly EndPoint _listening;
    private readonly EndPoint? _localEndPoint;
    private readonly Func<bool> _isOpen;
    private readonly Action<Connection?> _onFinished;
    private readonly ConnectionCounts _counts;
    private readonly MessageLimiter _limitWarnings;
    private readonly TrustedProxies? _proxies;
    private readonly IReadOnlyList<Func<OpeningStep>> _stepsOfProxies = [];
    private int _connectionCount;
    private long _accepted;
    private long _refused;
    private bool _hasRefusedStranger;

    /// <summary>Admits clients for a listener.</summary>
    /// <param name="reactor">The reactor that serves the clients.</param>
    /// <param name="options">The limits, the filter, and the options of the connections.</param>
    /// <param name="handlerFactory">Makes the handler of a connection.</param>
    /// <param name="listening">The address of the listener.</param>
    /// <param name="isOpen">Whether the listener is still open. The filter may close it.</param>
    /// <param name="finished">Called after a connection has closed and is no longer counted.</param>
    public Admission(
        Reactor reactor,
        ListenerOptions options,
        Func<Connection, IConnectionHandler> handlerFactory,
        EndPoint listening,
        Func<bool> isOpen,
        Action finished)
    {
        _reactor = reactor;
        _options = options;
        _steps = options.CreateSteps();
        _handlerFactory = handlerFactory;
        _listening = listening;
        _isOpen = isOpen;
        _localEndPoint = IsOneAddress(listening) ? listening : null;
        _limitWarnings = new MessageLimiter(reactor.TimeProvider);
        _counts = reactor.Counts.Of(EndpointTags.Server(listening));
        if (options.ProxyProtocol is { } proxy)
        {
            _proxies = new TrustedProxies(proxy);
            _stepsOfProxies = [() => new HeaderReceiver(proxy, IsAllowed), .. _steps];
        }

        _onFinished = _ =>
        {
            _connectionCount--;
            finished();
        };
    }

    /// <summary>The number of connections that are open or will be. Any thread.</summary>
    public int ConnectionCount => Volatile.Read(ref _connectionCount);

    /// <summary>The number of connections that were given to a handler. Any thread.</summary>
    public long Accepted => Volatile.Read(ref _accepted);

    /// <summary>The number of clients that were refused. Any thread.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Whether the limit of the listener or of the reactor is reached.</summary>
    public bool IsFull => _connectionCount >= _options.MaxConnections || _reactor.IsFull;

    /// <inheritdoc/>
    public ReachedLimit? ReachedLimit => _connectionCount >= _options.MaxConnections
        ? new ReachedLimit("ListenerOptions.MaxConnections", _options.MaxConnections)
        : _reactor.ReachedLimit;

    /// <inheritdoc/>
    public LimitNotice LimitNotice => field ??= new LimitNotice(_reactor.Logger, _reactor.TimeProvider);

    /// <inheritdoc/>
    public bool TryReserve() => _options.WhenFull == WhenFull.Refuse || _reactor.TryReservePlace();

    /// <inheritdoc/>
    public void EndAccept() => _reactor.GiveBackPlaces();

    /// <summary>Opens a connection for an accepted client, or refuses it.</summary>
    public void Admit(Handle handle)
    {
        bool isProxy = _proxies is not null && _proxies.Contains(handle.RemoteEndPoint);
        if (_connectionCount >= _options.MaxConnections || !_reactor.TryReservePlace())
        {
            Refuse(handle, Refusal.Limit);
        }
        else if (!isProxy && _options.ProxyProtocol is { UntrustedClients: UntrustedClients.Refuse })
        {
            RefuseStranger(handle);
        }
        else if (!isProxy && _options.AcceptFilter is not null && !IsAllowed(handle.RemoteEndPoint))
        {
            Refuse(handle, Refusal.Filter);
        }
        else if (_stop == StopPhase.Close || !_isOpen())
        {
            Refuse(handle, Refusal.ListenerClosed);
        }
        else if (!_reactor.TryReservePlace())
        {
            // The filter has adopted a socket, which took the place.
            Refuse(handle, Refusal.Limit);
        }
        else
        {
            // The address of a proxy's client is not known yet.
            Begin(handle, isProxy ? _stepsOfProxies : _steps);
        }
    }

    public bool TryFreeDescriptors() => _reactor.Lingering.TryFreeDescriptors();

    public void CountAcceptError(string errorType) =>
        _counts.Instruments.CountAcceptError(_counts.Tags, errorType);

    public void CountPaused(int reason, int change) => _counts.AddPausedListeners(reason, change);

    public override string ToString() =>
        $"{EndPointText.Of(_listening)}: {ConnectionCount} connections, {Accepted} accepted, {Refused} refused";

    /// <summary>Resets a client and counts it as refused.</summary>
    public void Refuse(Handle handle, Refusal refusal)
    {
        ReactorLog.Refused(_reactor.Logger, _listening, refusal.Why);
        if (refusal == Refusal.Limit && _limitWarnings.TryPass(out string omitted))
        {
            ReactorLog.RefusedAtLimit(_reactor.Logger, _listening, omitted);
        }

        Drop(handle, refusal);
    }

    // A connection to a listener on one address has that address: there is no need to ask the system for each.
    private static bool IsOneAddress(EndPoint endPoint) =>
        endPoint is IPEndPoint ip && !ip.Address.Equals(IPAddress.Any) && !ip.Address.Equals(IPAddress.IPv6Any);

    // The first one is told loudly: it may be a proxy that was forgotten.
    private void RefuseStranger(Handle handle)
    {
        LogLevel level = _hasRefusedStranger ? LogLevel.Debug : LogLevel.Warning;
        _hasRefusedStranger = true;
        ReactorLog.RefusedStranger(_reactor.Logger, level, handle.RemoteEndPoint, _listening);
        Drop(handle, Refusal.Stranger);
    }

    private void Drop(Handle handle, Refusal refusal)
    {
        handle.Abort();
        _reactor.GiveBackPlaces();
        CountRefused(refusal.ErrorType);
    }

    private void CountRefused(string errorType)
    {
        _refused++;
        _counts.Instruments.CountRefused(_counts.Tags, errorType);
    }

    private bool IsAllowed(EndPoint? client)
    {
        if (_options.AcceptFilter is not { } filter)
        {
            return true;
        }

        _reactor.BeginCallback(filter);
        try
        {
            return filter.Allows(client);
        }
        catch (Exception exception)
        {
            ReactorLog.AcceptFilterFault(_reactor.Logger, _listening, exception);
            return false;
        }
        finally
        {
            _reactor.EndCallback();
        }
    }

    private void Begin(Handle handle, IReadOnlyList<Func<OpeningStep>> steps)
    {
        var opened = new Opened(handle, _localEndPoint) { Counts = _counts };
        _connectionCount++;
        if (steps.Count == 0)
        {
            Open(opened);
            return;
        }

        var sequence = new OpeningSequence(_reactor, opened, steps, prefix: "", OnConcluded);
        try
        {
            _reactor.AddStarter(sequence);
            _openings.Add(sequence);
        }
        catch (Exception exception)
        {
            // The reactor is stopping: the exception says so.
            _connectionCount--;
            Refuse(handle, Refusal.ReactorStops(exception.Message));
            return;
        }

        sequence.Begin();
    }

    private void OnConcluded(OpeningSequence sequence, Exception? error)
    {
        _reactor.RemoveStarter(sequence);
        _openings.Remove(sequence);
        if (error is null)
        {
            Open(sequence.Opened);
        }
        else
        {
            CountRefused(ErrorTypes.Of(error));
            ReactorLog.OpeningFailed(_reactor.Logger, sequence.Opened.RemoteEndPoint, _listening, error.Message);
            _onFinished(null);
        }
    }

    private void Open(in Opened opened)
    {
        if (Register(opened) is not { } connection)
        {
            return;
        }

        IConnectionHandler handler;
        _reactor.BeginCallback(_handlerFactory, connection);
        try
        {
            handler = connection.MakeHandler(_handlerFactory);
        }
        catch (Exception exception)
        {
            CountRefused(Refusal.NoHandler.ErrorType);
            ReactorLog.HandlerFactoryFault(_reactor.Logger, _listening, exception);
            return;
        }
        finally
        {
            _reactor.EndCallback();
        }

        _accepted++;
        if (connection.TryOpen(handler, opened.Received.Span) is { } fault)
        {
            ReactorLog.RegistrationFault(_reactor.Logger, _listening, fault);
        }

        if (_stop is { } phase)
        {
            _reactor.Registry.BeginStop(connection, phase);
        }
    }

    private StreamConnection? Register(in Opened opened)
    {
        try
        {
            var connection = new StreamConnection(
                _reactor, opened, _options.Connection, pauseReadingWhenOutputIsFull: true, _onFinished);
            connection.Register();
            return connection;
        }
        catch (ObjectDisposedException) when (_reactor.IsDisposed)
        {
            Refuse(opened.Handle, Refusal.ReactorDisposed);
        }
        catch (Exception exception)
        {
            ReactorLog.RegistrationFault(_reactor.Logger, _listening, exception);
            Refuse(opened.Handle, Refusal.NotRegistered);
        }

        _onFinished(null);
        return null;
    }
}
