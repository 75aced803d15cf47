namespace ApplicationNamespace;

using System.Text;
using SelectReactor;

/// <summary>How messages travel. The server and its clients must agree on it.</summary>
public static class Protocol
{
    /// <summary>The most bytes that a message may have. A longer one ends the connection.</summary>
    public const int MaxMessageBytes = 64 * 1024;

#if (Lines)
    /// <summary>Finds the messages in the received bytes: lines of text. One object serves all connections.</summary>
    public static MessageDecoder<string> Decoder { get; } = new LineDecoder(MaxMessageBytes).AsText();

    /// <summary>Writes a message. It refuses one with a line break.</summary>
    public static MessageEncoder<string> Encoder { get; } = new DelimiterEncoder("\n"u8)
        .WithBody<string>(static (text, body) => Encoding.UTF8.GetBytes(text, body));
#else
    /// <summary>Finds the messages in the received bytes: texts with their length in four bytes before them. One
    /// object serves all connections.</summary>
    public static MessageDecoder<string> Decoder { get; } =
        new LengthPrefixDecoder(LengthField.UInt32BigEndian, MaxMessageBytes)
            .Select(static body => Encoding.UTF8.GetString(body));

    /// <summary>Writes a message.</summary>
    public static MessageEncoder<string> Encoder { get; } = new LengthPrefixEncoder(LengthField.UInt32BigEndian)
        .WithBody<string>(static (text, body) => Encoding.UTF8.GetBytes(text, body));
#endif
}
