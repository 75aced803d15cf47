using System.Buffers;
using System.Buffers.Binary;
using SelectReactor.Buffers;

namespace SelectReactor.Soak.Workloads;

/// <summary>One side of a connection, whichever way its handler is written: what it has sent and received, and the check
/// that what it receives is what the other side has sent. A callee learns from the first four bytes whose call it is.</summary>
internal abstract class Side(Judge judge, Func<int, Call?> callOf, Call? call, ConnectionOptions limits)
{
    private const int LargestFrame = 10_000;
    private const int HeaderBytes = 4;
    private readonly bool _isCaller = call is not null;
    private long _received;
    private long _lastReceive = 1;
    private long _accepted;

    public long Written { get; private set; }

    public long Read { get; private set; }

    /// <summary>Whether it has ended its output in good order, and will write no more.</summary>
    public bool HasEndedOutput { get; protected set; }

    /// <summary>Whether it has seen the peer's end of stream.</summary>
    public bool HasSeenEnd { get; private set; }

    public CloseReason? Reason { get; private set; }

    /// <summary>Null until it is connected.</summary>
    public Connection? Connection { get; private set; }

    /// <summary>Whether it ended in good order: then the system took all that it wrote. Of a close it does not say that the
    /// peer has it.</summary>
    public bool IsClean => Reason is { Kind: CloseKind.Local or CloseKind.PeerClosed, Error: null, UnsentBytes: 0 };

    /// <summary>Whether it has written all that it meant to.</summary>
    public bool HasWrittenAll => Written == ToWrite;

    /// <summary>Whether it never closes before it has read all that the peer sends.</summary>
    public abstract bool ReadsToTheEnd { get; }

    /// <summary>Whether no method of it is under way.</summary>
    public virtual bool IsIdle => true;

    protected Judge Judge => judge;

    protected Call? Call { get; private set; } = call;

    protected PlayerPlan? Plan => _isCaller ? Call!.Plan.Caller : Call?.Plan.Callee;

    // What the caller sends begins with the header.
    protected long ToWrite => (_isCaller ? HeaderBytes : 0) + Plan!.Bytes;

    private Side? Peer => _isCaller ? Call!.Callee : Call?.Caller;

    private bool TakesBytes => Connection!.State == ConnectionState.Open
        && (Connection.IsWritable || Connection.QueuedOutputBytes > 0);

    // A frame that does not fit is cut, and so is a writer that does not look.
    private bool MayExceedLimits => Written > limits.MaxOutputBytes
        || (Plan is { Read: ReadKind.Frames } plan && Math.Min(plan.Chunk, LargestFrame) > limits.MaxInputBytes);

    /// <summary>To be called between ticks: what a connection keeps is within its limits, but for the latest receive.</summary>
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
        var input = (InputBuffer)Connection.Input;
        long pauseAt = Math.Min(limits.InputPauseThreshold, limits.MaxInputBytes);
        judge.Expect(Connection.QueuedOutputBytes <= limits.MaxOutputBytes, "output is bounded");
        judge.Expect(
            input.Unconsumed < limits.MaxInputBytes + _lastReceive,
            $"input is bounded ({input.Unconsumed}, at most {limits.MaxInputBytes} before a receive of {_lastReceive})");
        judge.Expect(
            input.Unexamined < pauseAt + _lastReceive,
            $"receiving pauses ({input.Unexamined}, at most {pauseAt} before a receive of {_lastReceive})");
    }

    protected void NoteConnected(Connection connection)
    {
        judge.Expect(Connection is null, "OnConnected comes once");
        Connection = connection;
    }

    protected void NoteEnd()
    {
        judge.Expect(!HasSeenEnd, "the end of the stream comes once");
        HasSeenEnd = true;
        if (Peer is { } peer)
        {
            judge.Expect(
                peer.HasEndedOutput || peer.Reason is { Kind: CloseKind.ReactorStopped },
                "an end of stream comes from a peer that has ended its output, or whose reactor has stopped");
            judge.Expect(Read == peer.Written, $"an end of stream comes after all bytes ({Read} of {peer.Written})");
        }
        else
        {
            // A caller sends the header before it ends, and nobody stops its reactor; a callee ends when it has read it.
            judge.Expect(_isCaller && judge.IsServerStopping, "no end of stream comes before the header");
        }
    }

    protected void NoteClosed(Connection connection, CloseReason reason)
    {
        judge.Expect(Connection is not null, "OnClosed comes after OnConnected");
        judge.Expect(Reason is null, "OnClosed comes once");
        judge.Expect(connection.State == ConnectionState.Closed, "OnClosed comes when it is closed");
        judge.Expect(
            reason.Kind != CloseKind.HandlerFault || reason.Error is PlannedException, $"no handler fails but on purpose: {reason}");
        long kept = _accepted - connection.Statistics.BytesSent;
        judge.Expect(reason.UnsentBytes == kept, $"what was written and not sent is told: {reason}, not {kept}");
        judge.Expect(reason.UnsentBytes == 0 || reason.Error is not null || (judge.IsServerStopping && !_isCaller), $"and why: {reason}");
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

    /// <summary>The next bytes, written and not yet flushed.</summary>
    protected void WriteChunk()
    {
        int count = (int)Math.Min(Plan!.Chunk, ToWrite - Written);
        Span<byte> span = Connection!.Output.GetSpan(count);
        for (int i = 0; i < count; i++)
        {
            span[i] = ByteAt(Call!, _isCaller, Written + i);
        }

        // Once sending has failed, or the connection has ended, nothing is taken.
        _accepted += TakesBytes ? count : 0;

        // Before the call, in which a large batch may go out.
        Written += count;
        Connection.Output.Advance(count);
        judge.Expect(Connection.QueuedOutputBytes <= limits.MaxOutputBytes, "output is bounded at once");
    }

    private static byte ByteAt(Call call, bool fromCaller, long at) => fromCaller && at < HeaderBytes
        ? (byte)(call.Number >> (8 * (int)at))
        : (byte)((at * 31) + (at >> 8) + call.Number + (fromCaller ? 0 : 77));

    private long Share(long length) => Plan!.Read switch
    {
        ReadKind.Sip => Math.Min(length, Plan.Chunk),

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
        }
    }

    private void Check(ReadOnlySequence<byte> bytes)
    {
        long at = Read;
        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            foreach (byte actual in segment.Span)
            {
                judge.Expect(Call is null || actual == ByteAt(Call, !_isCaller, at), $"byte {at} is what the peer has sent");
                at++;
            }
        }

        judge.Expect(Peer is null || at <= Peer.Written, "no more is received than was sent");
    }
}
