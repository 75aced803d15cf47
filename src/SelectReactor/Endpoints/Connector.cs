using System.Net;
using System.Net.Sockets;
using SelectReactor.Connections;
using SelectReactor.Dispatch;

namespace SelectReactor.Endpoints;

/// <summary>One attempt to connect, from a non-blocking connect(2) to an open connection or one exception.</summary>
internal sealed class Connector(
    Reactor reactor, EndPoint remoteEndPoint, IConnectionHandler handler, ConnectOptions options, CancellationToken token)
    : IEventHandler, IStoppable
{
    private readonly TaskCompletionSource<Connection> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _attempt = $"Can't connect to {remoteEndPoint}";
    private Handle? _handle;
    private SelectionKey? _key;
    private ReactorTimer? _timer;
    private CancellationTokenRegistration _registration;

    /// <summary>Any thread.</summary>
    public Task<Connection> ConnectAsync()
    {
        if (!reactor.TryPost(static self => ((Connector)self!).Begin(), this))
        {
            _outcome.SetException(new ObjectDisposedException(nameof(Reactor)));
        }

        return _outcome.Task;
    }

    public void OnReady(SelectionKey key) => Conclude(_handle!.TakeError());

    public void BeginStop(StopPhase phase) =>
        Fail(new OperationCanceledException($"{_attempt}: the reactor is stopping."));

    private void Begin()
    {
        try
        {
            if (token.IsCancellationRequested)
            {
                throw Cancelled();
            }

            reactor.AddStarter(this);
            _handle = reactor.HandleFactory.CreateStream(remoteEndPoint.AddressFamily);
            options.Connection.ApplyTo(_handle, remoteEndPoint.AddressFamily);
            if (options.LocalEndPoint is { } local)
            {
                SocketFailure.ThrowOnError(_handle.Bind(local), $"{_attempt}: can't bind {local}");
            }

            SocketError error = _handle.Connect(remoteEndPoint);
            if (error is not (SocketError.WouldBlock or SocketError.InProgress))
            {
                Conclude(error);
                return;
            }

            _key = reactor.Register(_handle, Interest.Connect, this);
            if (options.Timeout != Timeout.InfiniteTimeSpan)
            {
                _timer = reactor.Schedule(options.Timeout, static self => ((Connector)self!).TimeOut(), this);
            }

            _registration = token.UnsafeRegister(static self => ((Connector)self!).CancelLater(), this);
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    private void Conclude(SocketError error)
    {
        if (error != SocketError.Success)
        {
            Fail(SocketFailure.Create(error, _attempt));
            return;
        }

        // Without a listener, TCP can connect a socket to itself when the system happens to choose the same port.
        if (remoteEndPoint is IPEndPoint && Equals(_handle!.LocalEndPoint, _handle.RemoteEndPoint))
        {
            Fail(SocketFailure.Create(SocketError.ConnectionRefused, _attempt));
            return;
        }

        End();
        try
        {
            var connection = new StreamConnection(
                reactor,
                _handle!,
                options.Connection,
                pauseReadingWhenOutputIsFull: false,
                localEndPoint: null,
                onFinished: null);
            connection.Register();
            connection.Open(handler);
            _outcome.SetResult(connection);
        }
        catch (Exception exception)
        {
            _handle!.Abort();
            _outcome.SetException(exception);
        }
    }

    private void TimeOut() => Fail(new TimeoutException($"{_attempt}: no answer within {options.Timeout}."));

    // The token may be cancelled on any thread; this object is the reactor's.
    private void CancelLater() => reactor.TryPost(
        static self =>
        {
            var connector = (Connector)self!;
            connector.Fail(connector.Cancelled());
        },
        this);

    private OperationCanceledException Cancelled() => new($"{_attempt}: cancelled.", token);

    private void Fail(Exception exception)
    {
        if (_outcome.Task.IsCompleted)
        {
            return;
        }

        End();
        _handle?.Abort();
        _outcome.SetFromTask(FailAsync(exception));
    }

    // What an async method throws cancels or fails its task as is due, and a cancelled one still says why.
    private static async Task<Connection> FailAsync(Exception exception)
    {
        await Task.CompletedTask;
        throw exception;
    }

    private void End()
    {
        _key?.Cancel();
        _timer?.Cancel();
        _registration.Dispose();
        reactor.RemoveStarter(this);
    }
}
