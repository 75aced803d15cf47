namespace SelectReactor.Tests.Clients;

/// <summary>A server of lines for the tests of clients: it answers each line with the same line, as soon as the test
/// lets it.</summary>
internal sealed class Replies() : MessageHandler<string, ReadOnlySpan<char>>(Decoder, Encoder)
{
    private readonly List<(Connection Connection, string Line)> _held = [];

    public static MessageDecoder<string> Decoder { get; } = new LineDecoder(1000).AsText();

    public static LineEncoder Encoder { get; } = new();

    /// <summary>For requests that are strings.</summary>
    public static MessageEncoder<string> Requests { get; } = new Lines();

    public List<Connection> Connections { get; } = [];

    public List<CloseReason> Closed { get; } = [];

    public List<string> Requested { get; } = [];

    /// <summary>Whether answers wait for <see cref="Answer"/>.</summary>
    public bool Holds { get; set; }

    public void Answer()
    {
        foreach ((Connection connection, string line) in _held)
        {
            Send(connection, line);
        }

        _held.Clear();
    }

    public override void OnConnected(Connection connection) => Connections.Add(connection);

    public override void OnClosed(Connection connection, CloseReason reason) => Closed.Add(reason);

    protected override void OnMessage(Connection connection, string message)
    {
        Requested.Add(message);
        if (Holds)
        {
            _held.Add((connection, message));
        }
        else
        {
            Send(connection, message);
        }
    }

    private sealed class Lines : MessageEncoder<string>
    {
        public override void Encode(string message, System.Buffers.IBufferWriter<byte> output) =>
            Encoder.Encode(message, output);
    }
}
