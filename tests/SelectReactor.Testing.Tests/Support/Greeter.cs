using System.IO.Pipelines;
using System.Text;

namespace SelectReactor.Testing.Tests.Support;

/// <summary>Asks for a name, waits a little, and greets: a protocol as one asynchronous method.</summary>
internal sealed class Greeter(TimeSpan delay) : AsyncConnectionHandler
{
    protected override async Task ServeAsync(Connection connection, CancellationToken closed)
    {
        await connection.Output.WriteAsync("Who? "u8.ToArray());
        string name = "";
        while (!name.EndsWith('\n'))
        {
            ReadResult result = await connection.Input.ReadAsync();
            name += Encoding.UTF8.GetString(result.Buffer);
            connection.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return;
            }
        }

        await Task.Delay(delay, connection.Reactor.TimeProvider);
        await connection.Output.WriteAsync(Encoding.UTF8.GetBytes($"Hello, {name.TrimEnd()}!"));
    }
}
