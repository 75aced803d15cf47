namespace SelectReactor.Analyzers.Tests;

public sealed class BufferTests
{
    [TestCase("input.AdvanceTo(result.Buffer.End); Use({|SR0005:result|}.Buffer);")]
    [TestCase("input.AdvanceTo(result.Buffer.End); Use({|SR0005:result|}.Buffer.Length);")]
    [TestCase("var rest = result.Buffer; input.AdvanceTo(rest.Start, rest.End); Use({|SR0005:rest|});")]
    [TestCase("var rest = result.Buffer.Slice(1); input.AdvanceTo(rest.End); Use({|SR0005:rest|}.Slice(1));")]
    [TestCase("var span = result.Buffer.FirstSpan; input.AdvanceTo(result.Buffer.End); Use({|SR0005:span|}[0]);")]
    [TestCase("var memory = result.Buffer.First; var span = memory.Span.Slice(1); input.AdvanceTo(result.Buffer.End); "
        + "Use({|SR0005:span|}.Length);")]
    [TestCase("var rest = result.Buffer; input.AdvanceTo(flag ? rest.Start : rest.End); Use({|SR0005:rest|});")]
    [TestCase("var rest = result.Buffer; if (flag) input.AdvanceTo(rest.End); else input.AdvanceTo(rest.Start); "
        + "Use({|SR0005:rest|});")]
    [TestCase("try { input.AdvanceTo(result.Buffer.End); } finally { Use(1); } Use({|SR0005:result|}.Buffer);")]
    [TestCase("void Local() { input.TryRead(out var other); input.AdvanceTo(other.Buffer.End); "
        + "Use({|SR0005:other|}.Buffer); } Local();")]
    [TestCase("Action local = () => { input.TryRead(out var other); input.AdvanceTo(other.Buffer.End); "
        + "Use({|SR0005:other|}.Buffer); }; local();")]
    public Task AUseAfterAdvanceTo_IsReported(string statements) => VerifyAsync(statements);

    [TestCase("Use(result.Buffer); input.AdvanceTo(result.Buffer.End);")]
    [TestCase("input.AdvanceTo(result.Buffer.End); Use(result.IsCompleted);")]
    [TestCase("var rest = result.Buffer; long length = rest.Length; input.AdvanceTo(rest.End); Use(length);")]
    [TestCase("var copy = result.Buffer.ToArray(); input.AdvanceTo(result.Buffer.End); Use(copy);")]
    [TestCase("var rest = result.Buffer; input.AdvanceTo(rest.End); rest = default; Use(rest);")]
    [TestCase("var rest = result.Buffer; if (flag) input.AdvanceTo(rest.End); if (!flag) Use(rest);")]
    [TestCase("var rest = result.Buffer; if (flag) { input.AdvanceTo(rest.End); return; } Use(rest);")]
    [TestCase("input.AdvanceTo(result.Buffer.End); while (input.TryRead(out result)) { Use(result.Buffer); "
        + "input.AdvanceTo(result.Buffer.End); }")]
    [TestCase("other.AdvanceTo(result.Buffer.End); Use(result.Buffer);")]
    [TestCase("var rest = result.Buffer; TryTake(ref rest, out var line); input.AdvanceTo(rest.Start); Use(line);")]
    [TestCase("var rest = result.Buffer; input.AdvanceTo(rest.End); TryTake(ref rest, out _); Use(rest);")]
    [TestCase("var one = result.Buffer; input.AdvanceTo(one.End); Fill(); Use(one); void Fill() => one = default;")]
    [TestCase("var rest = result.Buffer; int n; input.AdvanceTo(rest.End); (rest, n) = (default, 1); Use(rest);")]
    [TestCase("var rest = result.Buffer; input = other; input.AdvanceTo(default); Use(rest);")]
    [TestCase("try { Use(result.Buffer); } finally { input.AdvanceTo(result.Buffer.End); }")]
    [TestCase("try { input.AdvanceTo(result.Buffer.End); } catch { Use(result.Buffer); }")]
    [TestCase("_ = nameof(result.Buffer); input.AdvanceTo(result.Buffer.End); _ = nameof(result);")]
    [TestCase("var rest = result.Buffer; input.AdvanceTo(rest.End); Use(rest.Start.Equals(rest.End));")]
    [TestCase("while (true) { var line = result.Buffer; Use(line); input.AdvanceTo(line.End); "
        + "if (!input.TryRead(out result)) break; }")]
    public Task OtherUses_AreRight(string statements) => VerifyAsync(statements);

    [Test]
    public Task TheReaderOfAConnection_IsKnownByItsPath() => AnalyzerTest.VerifyAsync<BufferAnalyzer>("""
        class Tested : ConnectionHandler
        {
            private Connection? _other;

            public override void OnReadable(Connection connection)
            {
                if (!connection.Input.TryRead(out var result)) return;

                var rest = result.Buffer;
                _other!.Input.AdvanceTo(rest.End);
                connection.Append(rest);
                connection.Input.AdvanceTo(rest.Start, connection.IsWritable ? rest.End : rest.Start);
                if ({|SR0005:rest|}.Length > 10) connection.Close();
            }
        }
        """);

    [Test]
    public Task AnAsyncLoop_IsReported() => AnalyzerTest.VerifyAsync<BufferAnalyzer>("""
        class Tested : AsyncConnectionHandler
        {
            protected override async Task ServeAsync(Connection connection, CancellationToken closed)
            {
                while (true)
                {
                    var result = await connection.Input.ReadAsync(closed).ConfigureAwait(false);
                    var rest = result.Buffer;
                    connection.Input.AdvanceTo(rest.End);
                    connection.Append({|SR0005:rest|});
                    await connection.Output.FlushAsync(closed);
                    if (result.IsCompleted) break;
                }
            }
        }
        """);

    [TestCase("{|SR0006:_kept = result.Buffer|}; input.AdvanceTo(result.Buffer.End);")]
    [TestCase("var rest = result.Buffer.Slice(1); {|SR0006:Kept = rest|}; input.AdvanceTo(rest.Start);")]
    [TestCase("if (flag) { {|SR0006:_kept = result.Buffer|}; } input.AdvanceTo(result.Buffer.End);")]
    [TestCase("input.AdvanceTo(result.Buffer.End); {|SR0006:_kept = {|SR0005:result|}.Buffer|};")]
    [TestCase("{|SR0006:connection.UserState = result.Buffer|}; input.AdvanceTo(result.Buffer.End);")]
    [TestCase("{|SR0006:_memory = result.Buffer.First|}; input.AdvanceTo(result.Buffer.End);")]
    public Task BytesInAField_AreReported(string statements) => VerifyAsync(statements);

    [TestCase("_kept = result.Buffer; Use(1); _kept = default; input.AdvanceTo(result.Buffer.End);")]
    [TestCase("_kept = result.Buffer; input.AdvanceTo(result.Buffer.End); _kept = default;")]
    [TestCase("_kept = result.Buffer; Use(_kept);")]
    [TestCase("_kept = new ReadOnlySequence<byte>(result.Buffer.ToArray()); input.AdvanceTo(result.Buffer.End);")]
    [TestCase("var pair = new Pair(); pair.Bytes = result.Buffer; input.AdvanceTo(result.Buffer.End);")]
    [TestCase("_end = result.Buffer.End; input.AdvanceTo(result.Buffer.End);")]
    [TestCase("_kept = result.Buffer; try { _end = default; } finally { _kept = default; } "
        + "input.AdvanceTo(result.Buffer.End);")]
    [TestCase("_kept = result.Buffer; Clear(); input.AdvanceTo(result.Buffer.End);")]
    [TestCase("Copied = result.Buffer; input.AdvanceTo(result.Buffer.End);")]
    public Task OtherFields_AreRight(string statements) => VerifyAsync(statements);

    [Test]
    public Task BytesOfAMessageInAField_AreReported() => AnalyzerTest.VerifyAsync<BufferAnalyzer>("""
        class Tested() : MessageHandler<ReadOnlySequence<byte>, ReadOnlySpan<byte>>(null!, null!)
        {
            private ReadOnlySequence<byte> _last;
            private byte[] _copy = [];
            private ReadOnlySequence<byte> _now;

            protected override void OnMessage(Connection connection, ReadOnlySequence<byte> message)
            {
                _now = message;
                Work();
                _now = default;
                _copy = message.ToArray();
                {|SR0006:_last = message.Slice(1)|};
            }

            void Work() => Console.WriteLine(_now.Length + _last.Length + _copy.Length);
        }
        """);

    // The compiler reads such an expression in a loop, and so must the rules: a stack overflow ends the build.
    [Test]
    public Task AVeryLongExpression_IsRead() => VerifyAsync(
        $"string text = \"\" {string.Concat(Enumerable.Repeat("+ result", 20_000))}; "
        + "input.AdvanceTo(result.Buffer.End); Use({|SR0005:result|}.Buffer);");

    private static Task VerifyAsync(string statements) => AnalyzerTest.VerifyAsync<BufferAnalyzer>($$"""
        class Tested
        {
            private ReadOnlySequence<byte> _kept;
            private ReadOnlyMemory<byte> _memory;
            private SequencePosition _end;

            public ReadOnlySequence<byte> Kept { get; set; }

            public ReadOnlySequence<byte> Copied
            {
                get => default;
                set => _memory = value.ToArray();
            }

            void Clear() => _kept = default;

            void Run(Connection connection, PipeReader input, PipeReader other, bool flag)
            {
                if (!input.TryRead(out ReadResult result)) return;
                {{statements}}
            }

            static void Use<T>(T value) { }
            static bool TryTake(ref ReadOnlySequence<byte> rest, out ReadOnlySequence<byte> line)
            {
                line = rest;
                return true;
            }

            struct Pair { public ReadOnlySequence<byte> Bytes; }
        }
        """);
}
