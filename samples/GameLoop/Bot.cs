using System.Buffers;
using System.IO.Pipelines;
using SelectReactor;

namespace GameLoop;

/// <summary>A player that answers each state of the world with a random move.</summary>
internal sealed class Bot(Random random) : ConnectionHandler
{
    public override void OnReadable(Connection connection)
    {
        if (!connection.Input.TryRead(out ReadResult result))
        {
            return;
        }

        var reader = new SequenceReader<byte>(result.Buffer);
        int seen = 0;
        Span<byte> header = stackalloc byte[Protocol.HeaderLength];
        while (reader.TryCopyTo(header))
        {
            (int frame, int players) = Protocol.ReadHeader(header);
            int length = header.Length + (players * Protocol.PlayerLength);
            if (reader.Remaining < length)
            {
                break;
            }

            reader.Advance(length);
            seen = frame;
        }

        connection.Input.AdvanceTo(reader.Position, result.Buffer.End);
        if (seen > 0)
        {
            Span<byte> input = stackalloc byte[Protocol.InputLength];
            Protocol.WriteInput(input, seen, (sbyte)random.Next(-100, 101), (sbyte)random.Next(-100, 101));
            connection.TryWrite(input);
        }
    }
}
