using System.Diagnostics;

namespace SelectReactor.LoadTest.Load;

/// <summary>
/// One connection, full duplex: sends and receives at the same time, with a bounded number of bytes in flight. The
/// warm-up compares every byte; the measured part counts them, since comparing would slow the generator down.
/// </summary>
internal sealed class BulkLoad
{
    private const int ChunkBytes = 256 * 1024;
    private const long Window = 1024 * 1024;
    private const int StallSeconds = 10;
    private readonly LoadOptions _options;
    private readonly Poller _poller = new();
    private readonly Meter _meter;
    private readonly int _descriptor;

    // The stream is a repetition of the first half; twice, so that a chunk may start anywhere in it.
    private readonly byte[] _pattern;
    private readonly byte[] _received = new byte[ChunkBytes];
    private long _sentTotal;
    private long _receivedTotal;
    private bool _waitsToSend;

    private BulkLoad(LoadOptions options)
    {
        _options = options;
        _meter = new Meter(options);
        byte[] half = ClientSocket.CreatePattern(ChunkBytes);
        _pattern = [.. half, .. half];
        _descriptor = ClientSocket.OpenChecked(options.Port, 1)[0];
        _poller.Add(_descriptor, 0, Libc.EpollIn);
    }

    public static LoadResult Run(LoadOptions options) => new BulkLoad(options).Run();

    private LoadResult Run()
    {
        long warm = Stopwatch.GetTimestamp() + (long)(_options.Warmup * Stopwatch.Frequency);
        Transfer(long.MaxValue, warm, compares: true);
        Transfer(_sentTotal, long.MaxValue, compares: true);

        _sentTotal = _receivedTotal = 0;
        _meter.Start();
        Transfer(_options.Bytes, long.MaxValue, compares: false);
        return _meter.Stop(1, _receivedTotal);
    }

    /// <summary>Sends until the total or the moment, and ends when that many came back or at the moment.</summary>
    private void Transfer(long total, long until, bool compares)
    {
        long now;
        while (_receivedTotal < total && (now = Stopwatch.GetTimestamp()) < until)
        {
            Send(total);
            long stalled = now + (StallSeconds * Stopwatch.Frequency);
            if (_poller.WaitUntil(Math.Min(until, stalled), now) == 0)
            {
                if (stalled < until)
                {
                    throw new LoadTestException(
                        $"the transfer stalled after {_receivedTotal} bytes, "
                        + $"with {_sentTotal - _receivedTotal} in flight");
                }

                return;
            }

            if ((_poller[0].Events & ~Libc.EpollOut) != 0)
            {
                Receive(compares);
            }
        }
    }

    private void Send(long total)
    {
        long room = Math.Min(total - _sentTotal, Window - (_sentTotal - _receivedTotal));
        bool waits = false;
        if (room > 0)
        {
            int length = (int)Math.Min(room, ChunkBytes);
            nint sent = Libc.Send(_descriptor, _pattern.AsSpan((int)(_sentTotal % ChunkBytes), length));
            if (sent < 0 && Libc.LastError != Libc.Again)
            {
                throw new LoadTestException($"send: {Libc.LastErrorText}");
            }

            _sentTotal += Math.Max(sent, 0);
            waits = sent < room;
        }

        if (waits != _waitsToSend)
        {
            _waitsToSend = waits;
            _poller.Modify(_descriptor, 0, waits ? Libc.EpollIn | Libc.EpollOut : Libc.EpollIn);
        }
    }

    private void Receive(bool compares)
    {
        nint received = Libc.Receive(_descriptor, _received);
        if (received <= 0)
        {
            if (received < 0 && Libc.LastError == Libc.Again)
            {
                return;
            }

            throw new LoadTestException(
                received == 0 ? "the server closed the connection" : $"recv: {Libc.LastErrorText}");
        }

        int count = (int)received;
        if (compares && !_received.AsSpan(0, count).SequenceEqual(
            _pattern.AsSpan((int)(_receivedTotal % ChunkBytes), count)))
        {
            throw new LoadTestException($"other bytes came back than were sent, after {_receivedTotal}");
        }

        _receivedTotal += count;
        if (_receivedTotal > _sentTotal)
        {
            throw new LoadTestException("more bytes came back than were sent");
        }
    }
}
