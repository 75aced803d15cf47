namespace ApplicationNamespace;

using SelectReactor;

/// <summary>
/// Answers each message. One object serves all connections, since it keeps nothing about any of them. To keep
/// something for each, give each a handler of its own, with fields: <c>reactor.Listen(endPoint, connection => new
/// ServerHandler(), options)</c>. All calls are on the reactor's thread, so no field needs a lock.
/// </summary>
public sealed class ServerHandler() : MessageHandler<string, string>(Protocol.Decoder, Protocol.Encoder)
{
    // Your protocol goes here. Don't block: the other connections wait.
    protected override void OnMessage(Connection connection, string message) => Send(connection, message);

    // The server ends. What was sent before still arrives.
    public override void OnStopping(Connection connection) => connection.Close();
}
