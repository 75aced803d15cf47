using System.Buffers;
using System.Text;

namespace SelectReactor;

/// <summary>Writes text as lines in UTF-8, for <see cref="LineDecoder"/>. A string can be given where a span of
/// characters is asked for. For lines that are bytes already, see <see cref="DelimiterEncoder"/>.</summary>
public sealed class LineEncoder : MessageEncoder<ReadOnlySpan<char>>
{
    /// <summary>Whether lines end with CRLF. Default: false, LF.</summary>
    public bool UsesCrLf { get; init; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The text contains CR or LF, so that the peer could see several lines.
    /// Nothing was written.</exception>
    public override void Encode(ReadOnlySpan<char> message, IBufferWriter<byte> output)
    {
        ArgumentNullException.ThrowIfNull(output);
        if (message.ContainsAny('\r', '\n'))
        {
            throw new ArgumentException("A line can't contain CR or LF.", nameof(message));
        }

        Encoding.UTF8.GetBytes(message, output);
        output.Write(UsesCrLf ? "\r\n"u8 : "\n"u8);
    }
}
