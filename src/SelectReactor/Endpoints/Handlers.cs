using SelectReactor.Dispatch;

namespace SelectReactor.Endpoints;

/// <summary>The ways to name a handler, each as a factory that is called once for each connection.</summary>
internal static class Handlers
{
    /// <summary>For connections that are read and written with await, outside a handler.</summary>
    public static Func<Connection, IConnectionHandler> None { get; } = static _ => PassiveHandler.Instance;

    /// <summary>One handler for all connections.</summary>
    public static Func<Connection, IConnectionHandler> Of(IConnectionHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return _ => handler;
    }

    /// <summary>One asynchronous method that serves each connection.</summary>
    public static Func<Connection, IConnectionHandler> Of(Func<Connection, CancellationToken, Task> serve)
    {
        ArgumentNullException.ThrowIfNull(serve);
        return Of(new ServingHandler(serve));
    }

    private sealed class ServingHandler(Func<Connection, CancellationToken, Task> serve)
        : AsyncConnectionHandler, INamedCall
    {
        Delegate INamedCall.Function => serve;

        protected override Task ServeAsync(Connection connection, CancellationToken closed) =>
            serve(connection, closed)
            ?? throw new InvalidOperationException("The method that serves a connection returned null, not a task.");
    }

    /// <summary>Leaves everything to the owner of the connection: input waits until it is read, and the peer's end of
    /// stream does not close.</summary>
    private sealed class PassiveHandler : ConnectionHandler
    {
        public static PassiveHandler Instance { get; } = new();

        public override void OnReadable(Connection connection)
        {
        }

        public override void OnInputEnded(Connection connection)
        {
        }
    }
}
