using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace LineChat;

/// <summary>Cuts a stream of bytes into lines of UTF-8 text that end with LF or CRLF.</summary>
internal sealed class LineReader(PipeReader input, int maxBytes)
{
    /// <summary>Waits for the next line.</summary>
    /// <returns>The line without its end; null when the peer has ended its stream.</returns>
    /// <exception cref="InvalidDataException">The line is longer than the limit.</exception>
    public async ValueTask<string?> ReadAsync()
    {
        while (true)
        {
            ReadResult result = await input.ReadAsync();
            ReadOnlySequence<byte> buffer = result.Buffer;
            SequencePosition? end = buffer.PositionOf((byte)'\n');
            ReadOnlySequence<byte> line = end is null ? buffer : buffer.Slice(0, end.Value);
            if (line.Length > maxBytes)
            {
                input.AdvanceTo(buffer.End);
                throw new InvalidDataException($"A line may have {maxBytes} bytes.");
            }

            if (end is not null)
            {
                string text = Decode(line);
                input.AdvanceTo(buffer.GetPosition(1, end.Value));
                return text;
            }

            if (result.IsCompleted)
            {
                // The last line may lack its end.
                string? text = buffer.IsEmpty ? null : Decode(buffer);
                input.AdvanceTo(buffer.End);
                return text;
            }

            // All is examined: ReadAsync waits until more has arrived.
            input.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private static string Decode(in ReadOnlySequence<byte> line) => Encoding.UTF8.GetString(line).TrimEnd('\r');
}
