using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using KeyValueServer;

namespace SelectReactor.Tests.Samples;

public sealed class KeyValueParserTests
{
    private const string Pipeline =
        "*2\r\n$4\r\nECHO\r\n$3\r\nabc\r\n\r\n*0\r\nECHO \"a b\" \r\n*2\r\n$4\r\necho\r\n$0\r\n\r\n*-1\r\n"
        + "*2\r\n$4\r\nECHO\r\n$7\r\n\r\n*1\r\n\0\r\nPING\n*3\r\n$4\r\nMGET\r\n$1\r\nx\r\n$10\r\n"
        + "0123456789\r\nPING x\r\n";

    private const string PipelineReplies =
        "$3\r\nabc\r\n$3\r\na b\r\n$0\r\n\r\n$7\r\n\r\n*1\r\n\0\r\n+PONG\r\n*2\r\n$-1\r\n$-1\r\n$1\r\nx\r\n";

    private static byte[] PipelineBytes => Encoding.Latin1.GetBytes(Pipeline);

    [Test]
    public void Pipeline_WhereverItArrivesInTwoParts_IsAnsweredTheSame()
    {
        byte[] bytes = PipelineBytes;
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            var client = new KeyValueClient();
            client.Receive(bytes.AsSpan(0, cut));
            client.Receive(bytes.AsSpan(cut));
            Assert.That(client.Replies, Is.EqualTo(PipelineReplies), $"cut at {cut}");
        }
    }

    [Test]
    public void Pipeline_WhereverItsThreeSegmentsBegin_IsAnsweredTheSame()
    {
        byte[] bytes = PipelineBytes;
        var commands = new Commands(new KeyValueStore(TimeProvider.System), () => 1);
        for (int first = 0; first <= bytes.Length; first += 1)
        {
            for (int second = first; second <= bytes.Length; second += 7)
            {
                var client = new KeyValueClient(commands);
                client.Offer(PipeReader.Create(Segment.Sequence(bytes, first, second)));
                Assert.That(client.Replies, Is.EqualTo(PipelineReplies), $"cut at {first} and {second}");
            }
        }
    }

    [Test]
    public void Pipeline_ByteByByte_IsAnsweredTheSame()
    {
        var client = new KeyValueClient();
        foreach (byte b in PipelineBytes)
        {
            client.Receive([b]);
        }

        Assert.That(client.Replies, Is.EqualTo(PipelineReplies));
    }

    [Test]
    public void RandomBytes_NeitherThrowNorHang_AndParseTheSameInPiecesAsInOne([Range(1, 40)] int seed)
    {
        var random = new Random(seed);
        for (int run = 0; run < 50; run++)
        {
            byte[] bytes = RandomProtocol(random);
            var whole = new KeyValueClient();
            whole.Receive(bytes);
            var pieces = new KeyValueClient();
            for (int at = 0; at < bytes.Length && !pieces.IsClosed;)
            {
                int length = random.Next(1, bytes.Length - at + 1);
                pieces.Receive(bytes.AsSpan(at, length));
                at += length;
            }

            Assert.That(pieces.Replies, Is.EqualTo(whole.Replies), $"seed {seed}, run {run}");
            Assert.That(pieces.IsClosed, Is.EqualTo(whole.IsClosed), $"seed {seed}, run {run}");
        }
    }

    [Test]
    public void Parse_OfABeginning_WaitsForMoreThanItSaw_AndGoesOnWithTheRest()
    {
        byte[] bytes = "*3\r\n$3\r\nSET\r\n$10\r\n0123456789\r\n$5\r\nvalue\r\n"u8.ToArray();
        for (int given = 0; given < bytes.Length; given++)
        {
            var parser = new RespParser(new InlineSplitter());
            Assert.That(parser.Parse(bytes.AsSpan(0, given)), Is.EqualTo(ParseStatus.Incomplete));
            Assert.That(parser.Needed, Is.GreaterThan(given).And.AtMost(bytes.Length));

            Assert.That(parser.Parse(bytes.AsSpan(parser.Position)), Is.EqualTo(ParseStatus.Complete));
            Assert.That(parser.Length, Is.EqualTo(bytes.Length));
            Assert.That(Encoding.ASCII.GetString(parser.Request(bytes)[2]), Is.EqualTo("value"));
        }
    }

    [Test]
    public void Request_OfManyArguments_HasThemAll()
    {
        const int Count = 100_000;
        string text = $"*{Count}\r\n" + string.Concat(
            Enumerable.Range(0, Count).Select(i => $"${$"{i}".Length}\r\n{i}\r\n"));
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        var parser = new RespParser(new InlineSplitter());

        Assert.That(parser.Parse(bytes), Is.EqualTo(ParseStatus.Complete));
        Request request = parser.Request(bytes);
        Assert.That(request.Count, Is.EqualTo(Count));
        for (int i = 0; i < Count; i++)
        {
            Assert.That(int.Parse(Encoding.ASCII.GetString(request[i]), null), Is.EqualTo(i));
        }
    }

    [TestCase("*1048577\r\n", "invalid multibulk length")]
    [TestCase("*x\r\n", "invalid multibulk length")]
    [TestCase("*01\r\n", "invalid multibulk length")]
    [TestCase("*1\r\n$16777217\r\n", "invalid bulk length")]
    [TestCase("*1\r\n$-1\r\n", "invalid bulk length")]
    [TestCase("*1\r\n$99999999999999999999\r\n", "invalid bulk length")]
    [TestCase("*1\r\nx\r\n", "expected '$', got 'x'")]
    [TestCase("get \"x\r\n", "unbalanced quotes in request")]
    [TestCase("get 'x'y\r\n", "unbalanced quotes in request")]
    public void Parse_OfWhatBreaksTheProtocol_SaysWhy(string text, string error)
    {
        var parser = new RespParser(new InlineSplitter());
        Assert.That(parser.Parse(Encoding.ASCII.GetBytes(text)), Is.EqualTo(ParseStatus.Invalid));
        Assert.That(parser.Error, Is.EqualTo(error));
    }

    [TestCase("", "too big inline request")]
    [TestCase("*", "too big mbulk count string")]
    [TestCase("*1\r\n$", "too big bulk count string")]
    public void Parse_OfALineWithoutEnd_FailsBeyondItsLimitAndWaitsBefore(string beginning, string error)
    {
        var parser = new RespParser(new InlineSplitter());
        int longest = RespParser.MaxLineLength + beginning.LastIndexOf('\n') + 1;
        byte[] bytes = Encoding.ASCII.GetBytes(beginning.PadRight(longest + 1, '1'));

        Assert.That(parser.Parse(bytes.AsSpan(0, longest)), Is.EqualTo(ParseStatus.Incomplete));
        Assert.That(parser.Parse(bytes.AsSpan(parser.Position)), Is.EqualTo(ParseStatus.Invalid));
        Assert.That(parser.Error, Is.EqualTo(error));
    }

    [TestCase("*", "too big mbulk count string")]
    [TestCase("*1\r\n$", "too big bulk count string")]
    public void Parse_OfAHeaderBeyondItsLimit_FailsTheSameWhenItsEndHasComeToo(string beginning, string error)
    {
        int longest = RespParser.MaxLineLength + beginning.LastIndexOf('\n') + 1;
        byte[] bytes = Encoding.ASCII.GetBytes(beginning.PadRight(longest + 1, '1') + "\r\n");
        var parser = new RespParser(new InlineSplitter());

        Assert.That(parser.Parse(bytes), Is.EqualTo(ParseStatus.Invalid));
        Assert.That(parser.Error, Is.EqualTo(error));
    }

    [Test]
    public void Parse_OfTheLargestAnnouncedCommand_TakesNoMemoryForIt()
    {
        byte[] bytes = Encoding.ASCII.GetBytes($"*{RespParser.MaxArguments}\r\n${RespParser.MaxBulkLength}\r\nx");
        var parser = new RespParser(new InlineSplitter());
        long before = GC.GetAllocatedBytesForCurrentThread();
        ParseStatus status = parser.Parse(bytes);

        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1024));
        Assert.That(status, Is.EqualTo(ParseStatus.Incomplete));
        Assert.That(parser.Needed, Is.GreaterThan(RespParser.MaxBulkLength));
    }

    [TestCase("0", true, 0)]
    [TestCase("-1", true, -1)]
    [TestCase("9223372036854775807", true, long.MaxValue)]
    [TestCase("-9223372036854775808", true, long.MinValue)]
    [TestCase("9223372036854775808", false, 0)]
    [TestCase("", false, 0)]
    [TestCase("-", false, 0)]
    [TestCase("-0", false, 0)]
    [TestCase("+1", false, 0)]
    [TestCase("01", false, 0)]
    [TestCase("1 ", false, 0)]
    [TestCase(" 1", false, 0)]
    [TestCase("1.0", false, 0)]
    public void TryParseInteger_TakesTheOneFormOnly(string text, bool isOne, long expected)
    {
        Assert.That(RespParser.TryParseInteger(Encoding.ASCII.GetBytes(text), out long value), Is.EqualTo(isOne));
        if (isOne)
        {
            Assert.That(value, Is.EqualTo(expected));
        }
    }

    [TestCase(@"a  b", "a|b")]
    [TestCase("\t a\vb \"\" ", "a\vb|")]
    [TestCase(@"'it\'s' ""q\""q""", "it's|q\"q")]
    [TestCase(@"""\x41\xzz\n\\"" x""y""", "Axzz\n\\|xy")]
    [TestCase("a\0b c", "a")]
    public void Line_IsSplitIntoWords(string line, string words)
    {
        var parser = new RespParser(new InlineSplitter());
        Assert.That(parser.Parse(Encoding.Latin1.GetBytes(line + "\r\n")), Is.EqualTo(ParseStatus.Complete));
        Request request = parser.Request([]);
        var found = new List<string>();
        for (int i = 0; i < request.Count; i++)
        {
            found.Add(Encoding.Latin1.GetString(request[i]));
        }

        Assert.That(string.Join('|', found), Is.EqualTo(words));
    }

    // Pieces of the protocol in a random order, so that the parser gets further than the first byte.
    private static byte[] RandomProtocol(Random random)
    {
        string[] pieces = ["*", "$", "\r\n", "\r", "\n", "1", "2", "3", "-1", "PING\r\n", "*1\r\n$4\r\nPING\r\n",
            "*2\r\n$4\r\nECHO\r\n$1\r\nx\r\n", "ECHO \"", "'", " ", "\0", "\xff", "$4\r\n", "ECHO", "*2\r\n", "\\x"];
        var text = new StringBuilder();
        for (int count = random.Next(1, 40); count > 0; count--)
        {
            text.Append(pieces[random.Next(pieces.Length)]);
        }

        return Encoding.Latin1.GetBytes(text.ToString());
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        private Segment(ReadOnlyMemory<byte> memory, long runningIndex)
        {
            Memory = memory;
            RunningIndex = runningIndex;
        }

        public static ReadOnlySequence<byte> Sequence(byte[] bytes, int firstCut, int secondCut)
        {
            var third = new Segment(bytes.AsMemory(secondCut), secondCut);
            var second = new Segment(bytes.AsMemory(firstCut, secondCut - firstCut), firstCut) { Next = third };
            var first = new Segment(bytes.AsMemory(0, firstCut), 0) { Next = second };
            return new ReadOnlySequence<byte>(first, 0, third, third.Memory.Length);
        }
    }
}
