using System.Buffers;
using System.Buffers.Binary;
using SelectReactor.Buffers;
using SelectReactor.Testing.Network;

namespace SelectReactor.Soak.Workloads;

/// <summary>One side of a connection, whichever way its handler is written: what it has sent and received, and the
/// check that what it receives is what the other side has sent. A callee learns from the first four bytes whose call
/// it is.</summary>
internal abstract class Side(
    Judge judge, Func<Connection, SimulatedStream> streamOf, Func<int, Call?> callOf, Call? call,
        ConnectionOptions limits)
{
    private const int LargestFrame = 10_000;
    private const int HeaderBytes = 4;
    private readonly bool _isCaller = call is not null;
    private long _received;
    private long _lastReceive = 1;
    private long _acknowledged;
    private SimulatedStream? _stream;

    public long Written { get; private set; }

    /// <summary>How many bytes the connection has accepted: those written before it was closed or cut.</summary>
    public long Accepted { get; private set; }

    public long Read { get; private set; }

    /// <summary>Whether it has ended its output in good order, and will write no more.</summary>
    public bool HasEndedOutput { get; protected set; }

    /// <summary>Whether it has seen the peer's end of stream.</summary>
    public bool HasSeenEnd { get; private set; }

    public CloseReason? Reason { get; private set; }

    /// <summary>Null until it is connected.</summary>
    public Connection? Connection { get; private set; }

    /// <summary>Whether it ended in good order: then the system took all that it wrote. Of a close it does not say
    /// that the peer has it.</summary>
    public bool IsClean => Reason is { Kind: CloseKind.Local or CloseKind.PeerClosed, Error: null, UnsentBytes: 0 };

    /// <summary>Whether it has closed without a word. Such a connection does not wait for what the peer
    /// sends.</summary>
    public bool ClosesUnheard => Accepted == 0 && Reason is { Kind: CloseKind.Local };

    /// <summary>Whether it has written everything that it meant to, unless another piece of the program has closed the
    /// connection.</summary>
    public bool HasWrittenAll => Written == ToWrite || IsClosedByOther;

    /// <summary>Whether another piece of the program has closed the connection.</summary>
    public bool IsClosedByOther { get; private set; }

    /// <summary>How many bytes of the peer its system has taken.</summary>
    public long Taken => _stream?.TakenBytes ?? 0;

    /// <summary>Whether it never closes before it has read all that the peer sends.</summary>
    public abstract bool ReadsToTheEnd { get; }

    /// <summary>Whether no method of it is under way.</summary>
    public virtual bool IsIdle => true;

    protected Judge Judge => judge;

    protected Call? Call { get; private set; } = call;

    protected PlayerPlan? Plan => _isCaller ? Call!.Plan.Caller : Call?.Plan.Callee;

    // What the caller sends begins with the header.
    protected long ToWrite => (_isCaller ? HeaderBytes : 0) + Plan!.Bytes;

    protected int NextChunk => (int)Math.Min(Plan!.Chunk, ToWrite - Written);

    private Side? Peer => _isCaller ? Call!.Callee : Call?.Caller;

    private bool TakesBytes => Connection!.State == ConnectionState.Open
        && (Connection.IsWritable || Connection.QueuedOutputBytes > 0);

    // A frame that does not fit is cut, and so is a writer that does not look.
    private bool MayExceedLimits => Written > limits.MaxOutputBytes
        || (Plan is { Read: ReadKind.Frames } plan && Math.Min(plan.Chunk, LargestFrame) > limits.MaxInputBytes);

    public override string ToString() => $"the {(_isCaller ? "caller" : "callee")} of call {Call?.Number}";

    /// <summary>To be called between ticks: what a connection keeps is within its limits, but for the latest
    /// receive.</summary>
    public void VerifyBounds()
    {
        if (Connection is null || Reason is not null)
        {
            return;
        }

        // Whatever the network, and however many ticks lie between: it was below the limit before the last receive.
        long received = Connection.Statistics.BytesReceived;
        _lastReceive = received == _received ? _lastReceive : received - _received;
        _received = received;
        _acknowledged = _stream!.AcknowledgedBytes;
        var input = (InputBuffer)Connection.Input;
        long pauseAt = Math.Min(limits.InputPauseThreshold, limits.MaxInputBytes);
        judge.Expect(Connection.QueuedOutputBytes <= limits.MaxOutputBytes, "output is bounded");
        judge.Expect(
            input.Unconsumed < limits.MaxInputBytes + _lastReceive,
            $"input is bounded ({input.Unconsumed}, below {limits.MaxInputBytes} before a receive of {_lastReceive})");
        judge.Expect(
            input.Unexamined < pauseAt + _lastReceive,
            $"receiving pauses ({input.Unexamined}, at most {pauseAt} before a receive of {_lastReceive})");
    }

    protected void NoteConnected(Connection connection)
    {
        judge.Expect(Connection is null, "OnConnected comes once");
        Connection = connection;
        _stream = streamOf(connection);
        AwaitClose();
    }

    /// <summary>Another piece of the program has closed the connection.</summary>
    protected virtual void OnClosedByOther() => HasEndedOutput = true;

    protected void NoteEnd()
    {
        judge.Expect(!HasSeenEnd, "the end of the stream comes once");
        HasSeenEnd = true;
        if (Peer is { } peer)
        {
            judge.Expect(
                peer.HasEndedOutput || peer.Reason is { Kind: CloseKind.ReactorStopped },
                "an end of stream comes from a peer that has ended its output, or whose reactor has stopped");
            judge.Expect(Read == peer.Accepted, $"an end of stream comes after all bytes ({Read} of {peer.Accepted})");
        }
        else
        {
            // A caller sends the header before it ends, and nobody stops its reactor; a callee ends when it has read
            // it.
            judge.Expect(_isCaller && judge.IsServerStopping, "no end of stream comes before the header");
        }
    }

    protected void NoteClosed(Connection connection, CloseReason reason)
    {
        judge.Expect(Connection is not null, "OnClosed comes after OnConnected");
        judge.Expect(Reason is null, "OnClosed comes once");
        judge.Expect(connection.State == ConnectionState.Closed, "OnClosed comes when it is closed");
        judge.Expect(
            reason.Kind != CloseKind.HandlerFault
                || reason.Error is PlannedException, $"no handler fails but on purpose: {reason}");
        VerifyLoss(reason);
        judge.Expect(
            reason.Kind != CloseKind.PeerClosed
                || _stream!.IsInputEnded, $"a peer that has not ended is not closed: {reason}");
        judge.Expect(reason.UnsentBytes == 0 || reason.Error is not null || (judge.IsServerStopping && !_isCaller),
            $"and why: {reason}");
        judge.Expect(reason.Kind != CloseKind.LimitExceeded || MayExceedLimits, $"no limit is in the way: {reason}");
        Reason = reason;
    }

    /// <summary>Looks at what was received.</summary>
    /// <returns>How much of it to consume.</returns>
    protected long Take(ReadOnlySequence<byte> buffer, bool atEnd)
    {
        if (Call is null && buffer.Length >= HeaderBytes)
        {
            MeetCaller(buffer);
        }

        long count = atEnd ? buffer.Length : Plan is null ? 0 : Share(buffer.Length);
        Check(buffer.Slice(0, count));
        Read += count;
        return count;
    }

    /// <summary>Writes the next bytes, and does not flush them.</summary>
    protected void WriteChunk() => WriteInto(Connection!.Output.GetMemory(NextChunk));

    /// <summary>Writes the next bytes into memory that was lent for them.</summary>
    protected void WriteInto(Memory<byte> memory)
    {
        int count = Math.Min(NextChunk, memory.Length);
        Fill(memory.Span[..count]);

        // Once sending has failed, or the connection has ended, nothing is taken.
        Accepted += TakesBytes ? count : 0;

        // Before the call, in which a large batch may go out.
        Written += count;
        Connection!.Output.Advance(count);
        judge.Expect(Connection.QueuedOutputBytes <= limits.MaxOutputBytes, "output is bounded at once");
    }

    /// <summary>Writes at most so many of the next bytes, all or none.</summary>
    protected bool TryWriteChunk(int max)
    {
        byte[] bytes = new byte[Math.Min(max, Math.Min(NextChunk, limits.MaxOutputBytes))];
        Fill(bytes);
        int count = TakesBytes ? bytes.Length : 0;
        Accepted += count;
        Written += bytes.Length;
        bool isTaken = Connection!.TryWrite(bytes);
        Accepted -= isTaken ? 0 : count;
        Written -= isTaken ? 0 : bytes.Length;
        return isTaken;
    }

    private void Fill(Span<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            bytes[i] = ByteAt(Call!, _isCaller, Written + i);
        }
    }

    // Bytes of another connection, direction or place look different, except by chance.
    private static byte ByteAt(Call call, bool fromCaller, long at)
    {
        if (fromCaller && at < HeaderBytes)
        {
            return (byte)(call.Number >> (8 * (int)at));
        }

        ulong mixed = ((ulong)at + ((ulong)call.Number << 40) + (fromCaller ? 0UL : 1UL << 39)) * 0x9E3779B97F4A7C15;
        return (byte)(mixed >> 56);
    }

    private long Share(long length) => Plan!.Read switch
    {
        ReadKind.Sip => Math.Min(length, Plan.Chunk),

        // Slow, and still enough for the connection to receive again within the shortest linger time.
        ReadKind.Slow => Math.Min(length, Math.Max(4096, limits.InputPauseThreshold / 4)),

        // A frame that was longer than the limit on input would be cut, as it should.
        ReadKind.Frames => length - (length % Math.Min(Plan.Chunk, LargestFrame)),
        _ => length,
    };

    private void MeetCaller(ReadOnlySequence<byte> buffer)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        buffer.Slice(0, HeaderBytes).CopyTo(header);
        Call = callOf(BinaryPrimitives.ReadInt32LittleEndian(header));
        judge.Expect(Call is { Callee: null }, "a header names a call that nobody has answered");
        if (Call is not null)
        {
            Call.Callee = this;
            AwaitClose();
        }
    }

    private void Check(ReadOnlySequence<byte> bytes)
    {
        long at = Read;
        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            foreach (byte actual in segment.Span)
            {
                judge.Expect(
                    Call is null || actual == ByteAt(Call, !_isCaller, at), $"byte {at} is what the peer has sent");
                at++;
            }
        }

        judge.Expect(Peer is null || at <= Peer.Accepted, "no more is received than was sent");
    }

    private void AwaitClose()
    {
        if (Plan is { ClosedAfterMs: > 0 and var after })
        {
            Connection!.Reactor.Schedule(TimeSpan.FromMilliseconds(after), () =>
            {
                // Not before the header has gone, or nobody would know whose call it is.
                if (Connection.State == ConnectionState.Open && Accepted >= HeaderBytes)
                {
                    IsClosedByOther = true;
                    OnClosedByOther();
                    Connection.Close();
                }
            });
        }
    }

    // The bytes that the peer's system has not acknowledged, as far as this side knew when the connection ended: it
    // may have learned more since the last look, while a callback spent time.
    private void VerifyLoss(CloseReason reason)
    {
        long min = Accepted - _stream!.AcknowledgedBytes;
        long max = Accepted - Math.Min(_acknowledged, _stream.AcknowledgedBytes);
        judge.Expect(
            reason.UnsentBytes >= min && reason.UnsentBytes <= max,
            $"the bytes that did not reach the peer are told: {reason}, not {min} to {max} of {Accepted}");
    }
}
