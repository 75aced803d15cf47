namespace SelectReactor.Tests.Framing;

/// <summary>A handler of lines that keeps them; a test fills in what else it does.</summary>
internal sealed class Lines(MessageDecoder<string> decoder)
    : MessageHandler<string, ReadOnlySpan<char>>(decoder, new LineEncoder())
{
    public Lines()
        : this(new LineDecoder(10).AsText())
    {
    }

    public List<string> Messages { get; } = [];

    public int Ends { get; private set; }

    public Action<Lines, Connection, string>? Message { get; set; }

    public Action<Lines, Connection>? End { get; init; }

    public Action<Lines, Connection, Exception>? Error { get; init; }

    protected override void OnMessage(Connection connection, string message)
    {
        Messages.Add(message);
        Message?.Invoke(this, connection, message);
    }

    protected override void OnMessagesEnded(Connection connection)
    {
        Ends++;
        if (End is not null)
        {
            End(this, connection);
        }
        else
        {
            base.OnMessagesEnded(connection);
        }
    }

    protected override void OnProtocolError(Connection connection, CloseKind kind, Exception error) =>
        Error?.Invoke(this, connection, error);
}
