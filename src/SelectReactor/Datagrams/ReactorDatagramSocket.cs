using System.Net;
using System.Net.Sockets;
using SelectReactor.Diagnostics;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;
using SelectReactor.Selection;

namespace SelectReactor.Datagrams;

/// <summary>
/// A datagram socket over one handle. It receives into a buffer that it borrows for as long as there is something to
/// receive, and queues nothing: what the system does not take now is the sender's again. Every call of the handler
/// comes from the loop; what a call of the user's has caused waits for a later phase (<see cref="Work"/>).
/// </summary>
internal sealed partial class ReactorDatagramSocket
    : DatagramSocket, IEventHandler, IStoppable, IFallible, IResumable
{
    private readonly Reactor _reactor;
    private readonly Handle _handle;
    private readonly IDatagramHandler _handler;
    private readonly DatagramOptions _options;
    private readonly EndPoint? _localEndPoint;
    private readonly EndPoint? _remoteEndPoint;
    private readonly AddressFamily _family;
    private readonly SelectionKey _key;
    private readonly DatagramCounts _counts;
    private CloseReason _reason;
    private SocketError _pendingError;
    private Work _work;
    private volatile Phase _phase;

    /// <summary>Receives from now on.</summary>
    public ReactorDatagramSocket(
        Reactor reactor, Handle handle, AddressFamily family, IDatagramHandler handler, DatagramOptions options)
    {
        _reactor = reactor;
        _handle = handle;
        _handler = handler;
        _options = options;
        _localEndPoint = handle.LocalEndPoint is UnixDomainSocketEndPoint unix && unix.ToString().Length == 0
            ? null
            : handle.LocalEndPoint;
        _remoteEndPoint = handle.RemoteEndPoint;
        _family = family;
        _counts = reactor.Counts.DatagramsOf(
            family == AddressFamily.Unix ? EndpointTags.Unix : EndpointTags.Udp);
        _sender = new SenderAddress(_family);
        _peer = _remoteEndPoint?.Serialize();
        _limiter = new MessageLimiter(reactor.TimeProvider);
        reactor.AddStarter(this);
        try
        {
            _key = reactor.Register(handle, Interest.Read, this);
        }
        catch
        {
            reactor.RemoveStarter(this);
            throw;
        }

        ReactorLog.DatagramSocketOpened(reactor.Logger, _localEndPoint);
    }

    private enum Phase : byte
    {
        Open,

        /// <summary>The handle is closed, and the handler is still to be told.</summary>
        Closing,
        Closed,
    }

    /// <summary>What waits for a later phase of the loop.</summary>
    [Flags]
    private enum Work : byte
    {
        None = 0,
        Error = 1,
        AwaitRoom = 2,
        Stopping = 4,
        Close = 8,
    }

    public override Reactor Reactor => _reactor;

    public override EndPoint? LocalEndPoint => _localEndPoint is { } local ? MappedAddress.Copy(local) : null;

    public override EndPoint? RemoteEndPoint => _remoteEndPoint is { } remote ? MappedAddress.Copy(remote) : null;

    public override bool IsClosed => _phase != Phase.Open;

    public override string ToString() => _remoteEndPoint is null
        ? $"Datagram socket on {EndPointText.Of(_localEndPoint)}"
        : $"Datagram socket on {EndPointText.Of(_localEndPoint)} to {EndPointText.Of(_remoteEndPoint)}";

    public override void JoinGroup(IPAddress group, int interfaceIndex, IPAddress? source) =>
        ChangeGroup("join", group, _handle.JoinGroup, interfaceIndex, source);

    public override void LeaveGroup(IPAddress group, int interfaceIndex, IPAddress? source) =>
        ChangeGroup("leave", group, _handle.LeaveGroup, interfaceIndex, source);

    public override bool TryGetDroppedBySystem(out long count)
    {
        _reactor.VerifyAccess();
        return _handle.TryGetDroppedDatagrams(out count);
    }

    public override T? GetFeature<T>()
        where T : class
    {
        _reactor.VerifyAccess();
        if (typeof(T) != typeof(Socket) || _handle.Socket is not { } socket)
        {
            return null;
        }

        OwnedSockets.Note(socket);
        return (T)(object)socket;
    }

    public override void Close()
    {
        _reactor.VerifyAccess();
        End(CloseKind.Local, error: null);
    }

    protected override void Dispose(bool disposing) =>
        _reactor.Execute(static self => ((ReactorDatagramSocket)self!).End(CloseKind.Local, error: null), this);

    void IEventHandler.OnReady(SelectionKey key)
    {
        if (key.IsEvicted)
        {
            EndByOthers();
            return;
        }

        Interest ready = key.Ready;
        if ((ready & Interest.Write) != 0)
        {
            StopAwaitingRoom();
        }

        if ((ready & Interest.Read) != 0 && _phase == Phase.Open && !IsPaused)
        {
            Receive();
        }
    }

    void IStoppable.BeginStop(StopPhase phase)
    {
        if (phase == StopPhase.Drain)
        {
            Defer(Work.Stopping);
        }
        else
        {
            End(CloseKind.ReactorStopped, error: null);
        }
    }

    void IFallible.Fail(Exception error) => End(CloseKind.Aborted, error);

    void IResumable.Resume()
    {
        Work work = _work;
        _work = Work.None;
        if (_phase == Phase.Open)
        {
            Carry(work);
        }
        else if (_phase == Phase.Closing)
        {
            FinishClose();
        }
    }

    private void Carry(Work work)
    {
        if ((work & Work.Error) != 0)
        {
            Call(Callback.OnError, _pendingError);
        }

        if ((work & Work.AwaitRoom) != 0 && _phase == Phase.Open)
        {
            try
            {
                AwaitRoom();
            }
            catch (Exception exception)
            {
                // The selector refused.
                ReactorLog.ClientFault(_reactor.Logger, exception);
                End(CloseKind.Aborted, exception);
            }
        }

        if ((work & Work.Stopping) != 0 && _phase == Phase.Open)
        {
            Call(Callback.OnStopping);
        }
    }

    private void Defer(Work work)
    {
        if (_work == Work.None)
        {
            _reactor.ResumeLater(this);
        }

        _work |= work;
    }

    private void ChangeGroup(
        string what,
        IPAddress group,
        Func<IPAddress, int, IPAddress?, SocketError> change,
        int interfaceIndex,
        IPAddress? source)
    {
        ArgumentNullException.ThrowIfNull(group);
        _reactor.VerifyAccess();
        ObjectDisposedException.ThrowIf(IsClosed, this);
        SocketError error = change(group, interfaceIndex, source);
        if (error != SocketError.Success)
        {
            string on = interfaceIndex == 0 ? "" : $" on interface {interfaceIndex}";
            string text = new SocketException((int)error).Message.TrimEnd('.');
            throw new SocketException((int)error, $"Can't {what} the group {group}{on}: {text}.");
        }
    }

    private void EndByOthers() =>
        End(CloseKind.Aborted, new SocketException((int)SocketError.OperationAborted));

    private void End(CloseKind kind, Exception? error)
    {
        if (_phase != Phase.Open)
        {
            return;
        }

        // This can throw, so it comes before anything has changed.
        _reactor.VerifyAccess();
        _phase = Phase.Closing;
        _reason = new CloseReason { Kind = kind, Error = error };
        _pause?.Cancel();
        _roomTimer?.Cancel();
        Defer(Work.Close);
        try
        {
            _key.Cancel();
        }
        catch (Exception exception)
        {
            ReactorLog.ClientFault(_reactor.Logger, exception);
        }

        _handle.Close();
    }

    private void FinishClose()
    {
        _phase = Phase.Closed;
        _reactor.RemoveStarter(this);
        ReactorLog.DatagramSocketClosed(_reactor.Logger, _localEndPoint, _reason.Kind.ToString(), _reason.Error);
        Call(Callback.OnClosed);
    }
}
