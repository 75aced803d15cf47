using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Testing.Tests.Guide;

internal sealed class PingHandler : IConnectionHandler
{
    public void OnReadable(Connection connection)
    {
        if (connection.Input.TryRead(out ReadResult result))
        {
            var reader = new SequenceReader<byte>(result.Buffer);
            while (reader.TryReadTo(out ReadOnlySequence<byte> line, "\r\n"u8))
            {
                connection.Output.Write(
                    line.ToArray().AsSpan().SequenceEqual("PING"u8) ? "+PONG\r\n"u8 : "-ERR\r\n"u8);
            }

            connection.Input.AdvanceTo(reader.Position, result.Buffer.End);
        }
    }
}
