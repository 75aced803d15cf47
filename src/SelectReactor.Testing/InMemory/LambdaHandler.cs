namespace SelectReactor.Testing.InMemory;

/// <summary>Serves with a method that is passed in.</summary>
internal sealed class LambdaHandler(Func<Connection, CancellationToken, Task> serve) : AsyncConnectionHandler
{
    protected override Task ServeAsync(Connection connection, CancellationToken closed) => serve(connection, closed);
}
