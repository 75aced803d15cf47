namespace SelectReactor.Tests.Support;

/// <summary>Serves each connection with one asynchronous function, and keeps its tasks.</summary>
public sealed class ServeHandler(Func<Connection, Task> serve) : AsyncConnectionHandler
{
    /// <summary>What the function returned, one for each connection.</summary>
    public List<Task> Tasks { get; } = [];

    public List<CloseReason> CloseReasons { get; } = [];

    public bool IsClosed => CloseReasons.Count > 0;

    public override void OnClosed(Connection connection, CloseReason reason) => CloseReasons.Add(reason);

    protected override Task ServeAsync(Connection connection, CancellationToken closed)
    {
        Task task = serve(connection);
        Tasks.Add(task);
        return task;
    }
}
