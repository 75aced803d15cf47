namespace SelectReactor.Analyzers.Tests;

/// <summary>What docs/analyzers.md says that the rules do not see. Where a rule learns to see it, the page has to
/// change.</summary>
public sealed class DoubtTests
{
    [TestCase("Action later = async () => await Task.Delay(1); connection.Reactor.Post(later);",
        TestName = "a function from a variable")]
    [TestCase("Own(async () => await Task.Delay(1));", TestName = "a function for a method of one's own")]
    public Task AsyncVoid_InDoubt_IsSilent(string statements) => VerifyAsync<AsyncVoidAnalyzer>(statements);

    [TestCase("_other.Block();", TestName = "a method of another class")]
    [TestCase("BlockInBase();", TestName = "a method of a base class")]
    [TestCase("_ = Blocking;", TestName = "a property that blocks")]
    [TestCase("Action later = () => Thread.Sleep(1); connection.Reactor.Post(later);",
        TestName = "a blocking function from a variable")]
    [TestCase("_task.Wait();", TestName = "a task from a field")]
    [TestCase("_ = File.ReadAllText(\"a\"); lock (this) { }", TestName = "files and locks")]
    public Task Blocking_InDoubt_IsSilent(string statements) => VerifyAsync<BlockingAnalyzer>(statements);

    [TestCase("while (Next(connection.Input).Result is var one) { }", TestName = "a loop around a method that reads")]
    [TestCase("while (true) { var one = await _reader.ReadAsync(); _reader.AdvanceTo(one.Buffer.End); }",
        TestName = "a reader from a field")]
    [TestCase("while (connection.Input.TryRead(out var one)) { connection.Input.AdvanceTo(one.Buffer.End); }",
        TestName = "TryRead")]
    [TestCase("while (true) { var one = await connection.Input.ReadAsync(); "
        + "if (_task.IsCompleted) return; connection.Input.AdvanceTo(one.Buffer.End); }",
        TestName = "another IsCompleted")]
    public Task EndlessRead_InDoubt_IsSilent(string statements) => AnalyzerTest.VerifyAsync<ReadLoopAnalyzer>(
        CodeWith(method: $"async Task ServeAsync(Connection connection) {{ {statements} }}"));

    [TestCase("var all = result.Buffer; if (_flag) input.AdvanceTo(all.End); Own(all);", TestName = "on some paths")]
    [TestCase("var all = result.Buffer; try { input.AdvanceTo(all.End); } finally { Own(all); }",
        TestName = "in a finally block")]
    [TestCase("var reader = new SequenceReader<byte>(result.Buffer); input.AdvanceTo(result.Buffer.End); "
        + "reader.TryRead(out _);", TestName = "a SequenceReader")]
    [TestCase("var all = result.Buffer; Action later = () => Own(all); input.AdvanceTo(all.End); later();",
        TestName = "a lambda that is called later")]
    [TestCase("_list.Add(result.Buffer); input.AdvanceTo(result.Buffer.End);", TestName = "a list")]
    [TestCase("_kept = result.Buffer; Own(1); input.AdvanceTo(result.Buffer.End);",
        TestName = "before a method that may clear the field")]
    public Task Buffers_InDoubt_AreSilent(string statements) => VerifyAsync<BufferAnalyzer>(
        $"var input = connection.Input; if (!input.TryRead(out var result)) return; {statements}");

    [TestCase("Task.Run(connection.Close);", TestName = "a method by its name")]
    [TestCase("Parallel.For(0, 1, _ => connection.Close());", TestName = "other starters")]
    public Task OtherThread_InDoubt_IsSilent(string statements) => VerifyAsync<ThreadAnalyzer>(statements);

    private static Task VerifyAsync<TAnalyzer>(string statements)
        where TAnalyzer : Microsoft.CodeAnalysis.Diagnostics.DiagnosticAnalyzer, new() =>
        AnalyzerTest.VerifyAsync<TAnalyzer>(CodeWith(statements));

    private static string CodeWith(string statements = "", string method = "") => $$"""
        class Base : ConnectionHandler
        {
            public override void OnReadable(Connection connection) { }
            protected void BlockInBase() => Thread.Sleep(1);
        }

        class Other
        {
            public void Block() => Thread.Sleep(1);
        }

        class Tested : Base
        {
            private readonly Other _other = new();
            private readonly Task<int> _task = Task.FromResult(1);
            private readonly PipeReader _reader = null!;
            private readonly List<ReadOnlySequence<byte>> _list = [];
            private bool _flag = true;
            private ReadOnlySequence<byte> _kept;

            static int Blocking { get { Thread.Sleep(1); return 1; } }

            public override void OnReadable(Connection connection)
            {
                {{statements}}
            }

            void Own<T>(T value) => Console.WriteLine($"{_kept} {_flag}");
            Task<ReadResult> Next(PipeReader input) => input.ReadAsync().AsTask();

            {{method}}
        }
        """;
}
