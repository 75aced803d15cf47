namespace SelectReactor.Analyzers.Tests;

public sealed class ReadLoopTests
{
    [TestCase("while (true) { var result = await {|SR0004:input.ReadAsync()|}; input.AdvanceTo(result.Buffer.End); }")]
    [TestCase("for (;;) { var one = await {|SR0004:input.ReadAsync(closed)|}; input.AdvanceTo(one.Buffer.End); }")]
    [TestCase("do { ReadResult result; result = await {|SR0004:input.ReadAtLeastAsync(4)|}; "
        + "input.AdvanceTo(result.Buffer.End); } while (!closed.IsCancellationRequested);")]
    [TestCase("while (true) { var result = await {|SR0004:input.ReadAsync()|}.ConfigureAwait(false); "
        + "input.AdvanceTo(result.Buffer.End); if (result.IsCanceled) break; }")]
    [TestCase("while (true) { var rest = (await {|SR0004:connection.Input.ReadAsync()|}).Buffer; "
        + "connection.Input.AdvanceTo(rest.End); }")]
    [TestCase("while (true) { var result = await {|SR0004:input.ReadAsync()|}; var rest = result.Buffer; "
        + "while (TryTake(ref rest)) { Console.WriteLine(); } input.AdvanceTo(rest.Start, rest.End); }")]
    [TestCase("Func<Task> read = async () => { while (true) { var result = await {|SR0004:input.ReadAsync()|}; "
        + "input.AdvanceTo(result.Buffer.End); } }; await read();")]
    public Task ALoopWithoutEnd_IsReported(string statements) => VerifyAsync(statements);

    [TestCase("ReadResult result; do { result = await input.ReadAsync(); input.AdvanceTo(result.Buffer.End); } "
        + "while (!result.IsCompleted);")]
    [TestCase("while (await input.ReadAsync() is { IsCompleted: false } one) { input.AdvanceTo(one.Buffer.End); }")]
    [TestCase("while (true) { var result = await input.ReadAsync(); if (result is { IsCompleted: true }) return; }")]
    [TestCase("while (true) { var result = await input.ReadAsync(); if (Handle(result)) return; }")]
    [TestCase("while (true) { var result = await input.ReadAsync(); long n = result.Buffer.Length; "
        + "if (n == 0) return; input.AdvanceTo(result.Buffer.End); }")]
    [TestCase("while (true) { var result = await input.ReadAsync(); var rest = result.Buffer; "
        + "if (!TryTake(ref rest)) return; input.AdvanceTo(rest.Start); }")]
    [TestCase("var more = true; while (more) { var result = await input.ReadAsync(); var rest = result.Buffer; "
        + "more = TryTake(ref rest); input.AdvanceTo(rest.Start); }")]
    [TestCase("var pipe = new Pipe(); while (true) { var result = await pipe.Reader.ReadAsync(); "
        + "pipe.Reader.AdvanceTo(result.Buffer.End); }")]
    [TestCase("while (true) { var result = await input.ReadAsync(); if (result.Buffer.IsEmpty) return; "
        + "input.AdvanceTo(result.Buffer.End); }")]
    [TestCase("while (true) { var result = await input.ReadAtLeastAsync(4); "
        + "if (result.Buffer.Length < 4) throw new EndOfStreamException(); input.AdvanceTo(result.Buffer.End); }")]
    [TestCase("var result = await input.ReadAsync(); input.AdvanceTo(result.Buffer.End);")]
    [TestCase("for (int i = 0; i < 3; i++) { var one = await input.ReadAsync(); input.AdvanceTo(one.Buffer.End); }")]
    [TestCase("foreach (int i in new[] { 1 }) { var result = await input.ReadAsync(); }")]
    [TestCase("while (true) { Func<Task> read = async () => { var result = await input.ReadAsync(); }; }")]
    [TestCase("var stream = connection.AsStream(); while (true) { var count = await stream.ReadAsync(new byte[1]); }")]
    [TestCase("await foreach (var line in connection.ReadMessagesAsync(new LineDecoder(10))) { }")]
    public Task OtherCode_IsRight(string statements) => VerifyAsync(statements);

    private static Task VerifyAsync(string statements) => AnalyzerTest.VerifyAsync<ReadLoopAnalyzer>($$"""
        class Tested : AsyncConnectionHandler
        {
            protected override async Task ServeAsync(Connection connection, CancellationToken closed)
            {
                PipeReader input = connection.Input;
                await Task.Yield();
                {{statements}}
            }

            bool Handle(ReadResult result) => result.IsCompleted;
            bool TryTake(ref ReadOnlySequence<byte> rest) => !rest.IsEmpty;
        }
        """);
}
