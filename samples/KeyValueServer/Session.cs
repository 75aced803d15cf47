using System.Buffers;
using System.IO.Pipelines;
using SelectReactor;

namespace KeyValueServer;

/// <summary>
/// One client. Each time that input arrives, all the whole commands in it are executed, and their replies leave
/// together at the end of the tick. A client that does not read its replies is not served further until it does.
/// </summary>
internal sealed class Session(Commands commands, InlineSplitter splitter) : ConnectionHandler
{
    /// <summary>How many bytes of replies may wait before the client's next command has to.</summary>
    private const int ReplyBudget = 64 * 1024;
    private const int LeastJoined = 4 * 1024;

    private readonly RespParser _parser = new(splitter);

    public static ConnectionOptions Options { get; } = new()
    {
        MaxInputBytes = 2 * RespParser.MaxBulkLength,
        MaxOutputBytes = 4 * RespParser.MaxBulkLength,
        OutputHighWaterMark = ReplyBudget,
    };

    public override void OnReadable(Connection connection) => Serve(connection);

    public override void OnWritable(Connection connection) => Serve(connection);

    public override void OnInputEnded(Connection connection) => Serve(connection);

    private void Serve(Connection connection)
    {
        if (!connection.IsWritable || !connection.Input.TryRead(out ReadResult result))
        {
            return;
        }

        ReadOnlySequence<byte> rest = result.Buffer;
        var reply = new RespWriter(connection.Output);
        ExecuteAll(ref rest, ref reply);
        reply.Flush();
        if (IsFull(reply))
        {
            // The rest is not examined: OnWritable brings us back to it.
            connection.Input.AdvanceTo(rest.Start);
        }
        else
        {
            connection.Input.AdvanceTo(rest.Start, rest.End);
            if (result.IsCompleted)
            {
                connection.Close();
            }
        }

        if (reply.IsLast)
        {
            connection.Close();
        }
    }

    private void ExecuteAll(ref ReadOnlySequence<byte> rest, ref RespWriter reply)
    {
        while (rest.Length >= _parser.Needed && !IsFull(reply) && !reply.IsLast)
        {
            rest = rest.Slice(_parser.Position == 0 ? ExecuteBatch(rest, ref reply) : Continue(rest, ref reply));
        }
    }

    // The commands in the first segment, or those around the border of two.
    private int ExecuteBatch(in ReadOnlySequence<byte> rest, ref RespWriter reply)
    {
        ReadOnlySpan<byte> input = Join(rest, _parser.Needed, out byte[]? rented);
        int used = 0;
        ParseStatus status = ParseStatus.Complete;
        while (status == ParseStatus.Complete && used < input.Length && !IsFull(reply) && !reply.IsLast)
        {
            ReadOnlySpan<byte> command = input[used..];
            status = _parser.Parse(command);
            used += Answer(status, command, ref reply);
        }

        Return(rented);
        return used;
    }

    // A command too long to have arrived at once: the parser looks at what is new, and sees it whole at the end.
    private int Continue(in ReadOnlySequence<byte> rest, ref RespWriter reply)
    {
        ReadOnlySpan<byte> input = Join(
            rest.Slice(_parser.Position), _parser.Needed - _parser.Position, out byte[]? rented);
        ParseStatus status = _parser.Parse(input);
        Return(rented);
        int length = status == ParseStatus.Complete ? _parser.Length : 0;
        ReadOnlySpan<byte> command = Join(rest.Slice(0, length), length, out rented);
        int used = Answer(status, command, ref reply);
        Return(rented);
        return used;
    }

    /// <returns>How long the command was that was executed; zero when none was.</returns>
    private int Answer(ParseStatus status, scoped ReadOnlySpan<byte> command, ref RespWriter reply)
    {
        switch (status)
        {
            case ParseStatus.Complete:
                scoped Request request = _parser.Request(command);
                if (request.Count > 0)
                {
                    commands.Execute(request, ref reply);
                }

                return _parser.Length;
            case ParseStatus.Invalid:
                reply.Error($"ERR Protocol error: {_parser.Error}");
                reply.IsLast = true;
                return 0;
            default:
                return 0;
        }
    }

    /// <summary>The beginning of some input in one piece, as long as needed at least: where it lies when it is in one
    /// segment, and otherwise in a copy.</summary>
    private static ReadOnlySpan<byte> Join(in ReadOnlySequence<byte> input, int needed, out byte[]? rented)
    {
        rented = null;
        if (input.FirstSpan.Length >= needed)
        {
            return input.FirstSpan;
        }

        int size = (int)Math.Min(input.Length, Math.Max(2 * needed, LeastJoined));
        rented = ArrayPool<byte>.Shared.Rent(size);
        input.Slice(0, size).CopyTo(rented);
        return rented.AsSpan(0, size);
    }

    private static void Return(byte[]? rented)
    {
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static bool IsFull(in RespWriter reply) => reply.Written >= ReplyBudget;
}
