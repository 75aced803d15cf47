using System.Buffers;
using System.IO.Pipelines;
using SelectReactor;

namespace EchoClient;

/// <summary>
/// Messages of a known pattern, every byte of which must come back, and nothing else. Only so much is under way at a
/// time that the two ends can't wait for each other.
/// </summary>
internal sealed class CheckedExchange(int count, int size, TimeSpan timeout) : Exchange
{
    private const long MostUnderWay = 64 * 1024;
    private readonly long _total = (long)count * size;
    private long _sent;
    private long _received;
    private ReactorTimer? _silence;

    public override void OnConnected(Connection connection)
    {
        _silence = connection.Reactor.Schedule(timeout, () => connection.Abort(new IOException(
            $"Nothing came from the server for {timeout.TotalSeconds} s, after {_received} of {_total} bytes.")));
        SendMore(connection);
    }

    public override void OnReadable(Connection connection)
    {
        if (!connection.Input.TryRead(out ReadResult result))
        {
            return;
        }

        _silence!.Change(timeout);
        foreach (ReadOnlyMemory<byte> segment in result.Buffer)
        {
            Check(segment.Span);
        }

        connection.Input.AdvanceTo(result.Buffer.End);
        if (_received == _total)
        {
            // Not Close, which would no longer look at what a wrong server may still send.
            connection.CloseOutput();
        }
        else
        {
            SendMore(connection);
        }
    }

    public override void Conclude(CloseReason reason)
    {
        base.Conclude(reason);
        if (_received != _total)
        {
            throw new IOException($"The server closed the connection after {_received} of {_total} bytes.");
        }

        Console.WriteLine($"{count} messages of {size} bytes came back unchanged.");
    }

    // The factor is 2^64 divided by the golden ratio: nothing repeats, so that blocks that come back in the wrong
    // order or twice are noticed.
    private static byte PatternAt(long position) => (byte)((ulong)position * 0x9E3779B97F4A7C15 >> 56);

    private void SendMore(Connection connection)
    {
        while (_sent < _total && _sent - _received < MostUnderWay)
        {
            Span<byte> room = connection.Output.GetSpan();
            int length = (int)Math.Min(Math.Min(room.Length, size), _total - _sent);
            for (int i = 0; i < length; i++)
            {
                room[i] = PatternAt(_sent + i);
            }

            connection.Output.Advance(length);
            _sent += length;
        }
    }

    private void Check(ReadOnlySpan<byte> bytes)
    {
        foreach (byte value in bytes)
        {
            if (_received == _total)
            {
                throw new IOException($"More came back than the {_total} bytes that were sent.");
            }

            byte expected = PatternAt(_received);
            if (value != expected)
            {
                throw new IOException($"Byte {_received} came back as {value} and was sent as {expected}.");
            }

            _received++;
        }
    }
}
