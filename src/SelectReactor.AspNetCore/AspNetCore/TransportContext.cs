using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace SelectReactor.AspNetCore;

/// <summary>A connection as the application sees it: two pipes, and the features that Kestrel's own transport
/// has. Any thread.</summary>
internal sealed class TransportContext
    : ConnectionContext,
        IConnectionIdFeature,
        IConnectionTransportFeature,
        IConnectionItemsFeature,
        IMemoryPoolFeature,
        IConnectionLifetimeFeature,
        IConnectionSocketFeature,
        IThreadPoolWorkItem
{
    private static readonly long _firstId = DateTime.UtcNow.Ticks;
    private static long _ids;
    private readonly Connection _connection;
    private readonly TransportHandler _handler;
    private readonly IDuplexPipe _original;
    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ConnectionAbortedException? _abortReason;
    private Socket? _socket;
    private string? _id;
    private int _ends;
    private IDictionary<object, object?>? _items;

    public TransportContext(
        Connection connection, TransportHandler handler, MemoryPool<byte> memory, IDuplexPipe transport)
    {
        _connection = connection;
        _handler = handler;
        _original = transport;
        MemoryPool = memory;
        Transport = transport;
        LocalEndPoint = connection.LocalEndPoint;
        RemoteEndPoint = connection.RemoteEndPoint;
        ConnectionClosed = _closed.Token;
        Features = CreateFeatures();
    }

    public override string ConnectionId
    {
        get => _id ??= CreateId();
        set => _id = value;
    }

    public override IFeatureCollection Features { get; }

    public override IDictionary<object, object?> Items
    {
        get => _items ??= new ConnectionItems();
        set => _items = value;
    }

    public override IDuplexPipe Transport { get; set; }

    public MemoryPool<byte> MemoryPool { get; }

    /// <summary>Why the application has cut the connection. Null if it has not.</summary>
    public ConnectionAbortedException? AbortReason => Volatile.Read(ref _abortReason);

    Socket IConnectionSocketFeature.Socket => Volatile.Read(ref _socket) ?? FindSocket();

    public override void Abort() =>
        Abort(new ConnectionAbortedException("The connection was aborted by the application."));

    /// <summary>Ends the connection with a RST; with a FIN if there is no reason. Kestrel gives none when the peer has
    /// ended its stream and no request is under way.</summary>
    public override void Abort(ConnectionAbortedException? abortReason)
    {
        if (Interlocked.CompareExchange(ref _abortReason, abortReason, null) is null)
        {
            _connection.Reactor.TryPost(static handler => ((TransportHandler)handler!).Abort(), _handler);
        }
    }

    /// <summary>Ends both directions, and waits until what was written is sent or lost.</summary>
    public override async ValueTask DisposeAsync()
    {
        // Middleware may have replaced the transport.
        await _original.Input.CompleteAsync().ConfigureAwait(false);
        await _original.Output.CompleteAsync().ConfigureAwait(false);
        await _ended.Task.ConfigureAwait(false);
        _closed.Dispose();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Tells the application that the connection is closed, on the thread pool, since it may block.</summary>
    public void NotifyClosed() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            _closed.Cancel();
        }
        catch (AggregateException exception)
        {
            TransportLog.Failed(_handler.Logger, ConnectionId, exception);
        }

        NoteEnd();
    }

    /// <summary>Notes that the output has ended, or that the application knows of the end.</summary>
    public void NoteEnd()
    {
        if (Interlocked.Increment(ref _ends) == 2)
        {
            _ended.SetResult();
        }
    }

    private static string CreateId() =>
        string.Create(CultureInfo.InvariantCulture, $"SR{_firstId + Interlocked.Increment(ref _ids):X}");

    private Socket FindSocket()
    {
        Socket? found = AskForSocket();
        if (found is null)
        {
            // Closed: as Kestrel's own transport, a socket that says so when it is used.
            found = new Socket(SocketType.Stream, ProtocolType.Tcp);
            found.Dispose();
        }

        return Interlocked.CompareExchange(ref _socket, found, null) ?? found;
    }

    private Socket? AskForSocket()
    {
        Reactor reactor = _connection.Reactor;
        if (reactor.IsReactorThread)
        {
            return _connection.GetFeature<Socket>();
        }

        try
        {
            // Inline handlers of two loops could wait for each other, hence the bound.
            return reactor.InvokeAsync(_connection.GetFeature<Socket>)
                .WaitAsync(TransportReactors.BlockedLoopBound)
                .GetAwaiter()
                .GetResult();
        }
        catch (ObjectDisposedException)
        {
            return null; // The reactor has ended, and the connection with it.
        }
    }

    private FeatureCollection CreateFeatures()
    {
        var features = new FeatureCollection(6);
        features.Set<IConnectionIdFeature>(this);
        features.Set<IConnectionTransportFeature>(this);
        features.Set<IConnectionItemsFeature>(this);
        features.Set<IMemoryPoolFeature>(this);
        features.Set<IConnectionLifetimeFeature>(this);
        features.Set<IConnectionSocketFeature>(this);
        return features;
    }
}
