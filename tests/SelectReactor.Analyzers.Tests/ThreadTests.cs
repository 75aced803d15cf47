namespace SelectReactor.Analyzers.Tests;

public sealed class ThreadTests
{
    [TestCase("Task.Run(() => {|SR0007:connection.TryWrite([1])|});")]
    [TestCase("Task.Run(async () => { await Task.Delay(1); {|SR0007:connection.Close()|}; });")]
    [TestCase("Task.Factory.StartNew(() => {|SR0007:connection.Input|}.TryRead(out _));")]
    [TestCase("ThreadPool.QueueUserWorkItem(_ => {|SR0007:connection.Abort()|});")]
    [TestCase("new Thread(() => {|SR0007:_field.Close()|}).Start();")]
    [TestCase("_ = new Timer(_ => {|SR0007:_field.PauseReading()|});")]
    [TestCase("var other = connection; Task.Run(() => { if (true) { {|SR0007:other.CloseOutput()|}; } });")]
    public Task AConnectionOnAnotherThread_IsReported(string statements) => VerifyAsync(statements);

    [TestCase("Task.Run(() => connection.Reactor.Post(() => connection.Close()));")]
    [TestCase("Task.Run(() => connection.Reactor.InvokeAsync(connection.Close));")]
    [TestCase("Task.Run(() => { _ = connection.Id; _ = connection.State; _ = connection.Completion; });")]
    [TestCase("Task.Run(async () => { await connection.AsStream().WriteAsync(new byte[1]); "
        + "await connection.DisposeAsync(); });")]
    [TestCase("Task.Run(() => { while (true) { connection.Reactor.RunOnce(TimeSpan.Zero); connection.Close(); } });")]
    [TestCase("Task.Run(() => { if (connection.Reactor.IsReactorThread) connection.Close(); });")]
    [TestCase("Task.Run(() => { using var made = Make(); made.Connection.Close(); });")]
    [TestCase("connection.Reactor.Post(() => connection.Close());")]
    [TestCase("connection.Close(); Run(() => connection.Close());")]
    public Task OtherCode_IsRight(string statements) => VerifyAsync(statements);

    private static Task VerifyAsync(string statements) => AnalyzerTest.VerifyAsync<ThreadAnalyzer>($$"""
        class Tested
        {
            private readonly Connection _field = null!;

            void Start(Connection connection)
            {
                {{statements}}
            }

            static void Run(Action action) => action();
            static Made Make() => new();

            class Made : IDisposable
            {
                public Connection Connection => null!;
                public void Dispose() { }
            }
        }
        """);
}
