using SelectReactor;

namespace Dashboard;

/// <summary>Sends back what it receives. The user state of a connection is the time when it was opened.</summary>
internal sealed class EchoHandler(TimeProvider time) : ConnectionHandler
{
    public const string Server = "echo";

    public override void OnConnected(Connection connection) => connection.UserState = time.GetTimestamp();

    public override void OnReadable(Connection connection)
    {
        if (connection.Input.TryRead(out var result))
        {
            connection.Append(result.Buffer);
            connection.Input.AdvanceTo(result.Buffer.End);
        }
    }

    public override void OnStopping(Connection connection) => connection.Close();
}
