using System.Buffers;

namespace SelectReactor.Broadcasting;

/// <summary>The lists of one broadcast, used again by the next. Members may come and go while it is under
/// way.</summary>
internal sealed class BroadcastRun
{
    private readonly List<Connection> _slow = [];
    private Connection[] _members = [];
    private int _count;

    /// <summary>Queues the message for each member that can take it, and deals with the slow ones.</summary>
    public BroadcastResult Send(
        in ReadOnlySequence<byte> message,
        ReadOnlySpan<Connection> members,
        Connection? except,
        ConnectionGroupOptions options)
    {
        Copy(members);
        long length = message.Length;
        int sent = 0;
        int aborted = 0;
        foreach (Connection member in _members.AsSpan(0, _count))
        {
            long room = member == except ? -1 : member.OutputRoom;
            if (room < 0)
            {
                continue;
            }

            long queued = member.QueuedOutputBytes;
            if (length <= room && (queued == 0 || queued + length <= options.MaxQueuedBytes))
            {
                member.Append(message);
                sent++;
                continue;
            }

            _slow.Add(member);
            bool everFits = length - queued <= room;
            if (options.WhenSlow == WhenSlow.Abort && everFits)
            {
                aborted++;
                member.Abort(CloseKind.LimitExceeded, new IOException(
                    $"The member of a group reads too slowly: {queued} bytes wait for it."));
            }
        }

        int skipped = _slow.Count - aborted;
        if (options.SlowMember is { } tell)
        {
            _slow.ForEach(tell);
        }

        return new BroadcastResult { Sent = sent, Skipped = skipped, Aborted = aborted };
    }

    public void Clear()
    {
        _slow.Clear();
        _members.AsSpan(0, _count).Clear();
        _count = 0;
    }

    private void Copy(ReadOnlySpan<Connection> members)
    {
        if (_members.Length < members.Length)
        {
            _members = new Connection[members.Length + (members.Length / 4)];
        }

        members.CopyTo(_members);
        _count = members.Length;
    }
}
