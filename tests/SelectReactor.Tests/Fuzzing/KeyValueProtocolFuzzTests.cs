using System.Buffers;
using CsCheck;
using KeyValueServer;

namespace SelectReactor.Tests.Fuzzing;

/// <summary>The key-value server's protocol under damaged input, against <see cref="RespReference"/>.</summary>
public sealed class KeyValueProtocolFuzzTests
{
    // Pieces of at least one part in so many: an input of 64 KiB byte by byte would be looked at 64 K times.
    private const int MostPieces = 2000;

    private static readonly string[] _lineParts =
    [
        "\\", "\"", "'", " ", "x", "4", "1", "n", "\t", "\v", "\r", "\0", "\xff", "a\"", "\"a b\"", "'c\\'d'",
    ];

    private static Gen<(byte[] Input, int[] Sizes, int[] Segments)> Arrivals { get; } =
        Gen.Select(RespGen.Stream, RespGen.Sizes, RespGen.Sizes, static (input, sizes, segments) =>
            (input, Stretch(sizes, input.Length), Stretch(segments, input.Length)));

    [Test]
    public void Session_AnswersAsTheReference_HoweverTheInputArrives()
    {
        var run = new SessionRun();
        Fuzz.Run(Arrivals, 800, arrival => CheckSession(run, arrival.Input, arrival.Sizes, arrival.Segments), Print);
    }

    [Test]
    public void Parser_FindsWhatTheReferenceDoes_HoweverTheInputArrives() =>
        Fuzz.Run(Arrivals, 1500, static arrival => CheckParser(arrival.Input, arrival.Sizes), Print);

    [Test]
    public void Parser_TakesNoMoreMemoryThanHasArrived() =>
        Fuzz.Run(RespGen.Stream, 800, static input =>
        {
            // What the runtime sets up when it formats a thread's first message is not the parser's.
            new RespParser(new InlineSplitter()).Parse("*1\r\nx\r\n"u8);
            var parser = new RespParser(new InlineSplitter());
            int at = 0;
            long before = GC.GetAllocatedBytesForCurrentThread();
            while (parser.Parse(input.AsSpan(at)) == ParseStatus.Complete)
            {
                at += parser.Length;
            }

            // An argument takes six bytes of input at least and eight of memory, which doubles as it grows.
            long taken = GC.GetAllocatedBytesForCurrentThread() - before;
            Fuzz.Require(taken <= 2048 + (4L * input.Length), $"{taken} bytes of memory for {input.Length}");
        }, static input => Fuzz.Show(input));

    [Test]
    public void Line_IsSplitAsRedisDoes() =>
        Fuzz.Run(
            Gen.OneOf(_lineParts).Array[0, 14],
            20_000,
            static pieces =>
            {
                byte[] line = RespGen.Bytes(string.Concat(pieces));
                var splitter = new InlineSplitter();
                var words = default(ArgumentList);
                bool isSplit = splitter.TrySplit(line, ref words);
                byte[][]? expected = RespReference.Split(line);
                Fuzz.RequireEqual(isSplit, expected is not null, "the quotes are right");
                if (expected is not null)
                {
                    RequireSameWords(new Request(splitter.Text, words.Items), expected);
                }
            },
            static pieces => Fuzz.Show(RespGen.Bytes(string.Concat(pieces))));

    [Test]
    public void Integer_IsReadAsItsFormSays() =>
        Fuzz.Run(
            Gen.Select(Gen.OneOf(RespGen.Numbers), Gen.OneOf("", "", "0", "-", " ", "\0", "9"), Gen.Bool, Gen.Long)
                .Select(static (number, extra, isFirst, any) => RespGen.Bytes(
                    isFirst ? extra + number : number.Length == 0 ? $"{any}" : number + extra)),
            20_000,
            static text =>
            {
                bool isInteger = RespReference.IsInteger(text, out long expected);
                Fuzz.RequireEqual(RespParser.TryParseInteger(text, out long value), isInteger, "is a number");
                Fuzz.Require(!isInteger || value == expected, $"{value} and not {expected}");
            },
            static text => Fuzz.Show(text));

    private static void CheckSession(SessionRun run, byte[] input, int[] sizes, int[] segments)
    {
        run.Feed(input, sizes, segments);
        var expected = RespReference.Read(input);
        var output = new ArrayBufferWriter<byte>();
        var reply = new RespWriter(output);
        Commands commands = SessionRun.FrozenCommands();
        int consumed = 0;
        for (int i = 0; i < expected.Commands.Count && !reply.IsLast; i++)
        {
            if (expected.Commands[i].Length > 0)
            {
                CommandFuzzTests.Execute(commands, expected.Commands[i], ref reply);
            }

            consumed = expected.Ends[i];
        }

        if (expected.Error is { } error && !reply.IsLast)
        {
            reply.Error($"ERR Protocol error: {error}");
            reply.IsLast = true;
        }

        reply.Flush();
        Fuzz.RequireSame(run.Replies, output.WrittenSpan, "the replies");
        Fuzz.RequireEqual(run.IsClosed, reply.IsLast, "the session closes");
        Fuzz.RequireEqual(run.Consumed, consumed, "the bytes consumed");
        ReplyReader.Count(run.Replies);
    }

    private static void CheckParser(byte[] input, int[] sizes)
    {
        var expected = RespReference.Read(input);
        var parser = new RespParser(new InlineSplitter());
        var status = ParseStatus.Complete;
        int begin = 0;
        int found = 0;
        for (int turn = 0, arrived = 0; arrived < input.Length && status != ParseStatus.Invalid; turn++)
        {
            arrived = Math.Min(arrived + sizes[turn % sizes.Length], input.Length);
            while (status != ParseStatus.Invalid && arrived - begin >= parser.Needed)
            {
                Fuzz.Require(parser.Position <= arrived - begin, "looked further than what has arrived");
                status = parser.Parse(input.AsSpan((begin + parser.Position)..arrived));
                if (status == ParseStatus.Incomplete)
                {
                    Fuzz.Require(parser.Needed > arrived - begin, $"needs {parser.Needed} bytes, which it has");
                }
                else if (status == ParseStatus.Complete)
                {
                    Fuzz.Require(found < expected.Commands.Count, "found a command too many");
                    RequireSameWords(parser.Request(input.AsSpan(begin, parser.Length)), expected.Commands[found]);
                    begin += parser.Length;
                    Fuzz.RequireEqual(begin, expected.Ends[found++], "the end of a command");
                }
            }
        }

        Fuzz.RequireEqual(found, expected.Commands.Count, "the number of commands");
        Fuzz.RequireEqual(status == ParseStatus.Invalid ? parser.Error : null, expected.Error, "the error");
    }

    private static void RequireSameWords(Request request, byte[][] expected)
    {
        Fuzz.RequireEqual(request.Count, expected.Length, "the number of words");
        for (int i = 0; i < expected.Length; i++)
        {
            Fuzz.RequireSame(request[i], expected[i], $"word {i}");
        }
    }

    private static int[] Stretch(int[] sizes, int length) =>
        [.. sizes.Select(size => size * (1 + (length / MostPieces)))];

    private static string Print((byte[] Input, int[] Sizes, int[] Segments) arrival) =>
        $"{Fuzz.Show(arrival.Input)} in pieces of {string.Join(',', arrival.Sizes)}, "
        + $"in segments of {string.Join(',', arrival.Segments)}";
}
