namespace SelectReactor.Analyzers.Tests;

public sealed class BlockingTests
{
    [TestCase("{|SR0002:Thread.Sleep(10)|};")]
    [TestCase("{|SR0002:SomeAsync().Wait()|};")]
    [TestCase("_ = {|SR0002:SomeAsync().Result|};")]
    [TestCase("var task = SomeAsync(); _ = {|SR0002:task.Result|};")]
    [TestCase("{|SR0002:SomeAsync().GetAwaiter().GetResult()|};")]
    [TestCase("{|SR0002:SomeAsync().ConfigureAwait(false).GetAwaiter().GetResult()|};")]
    [TestCase("_ = {|SR0002:new ValueTask<int>(1).Result|};")]
    [TestCase("var awaiter = SomeAsync().GetAwaiter(); {|SR0002:awaiter.GetResult()|};")]
    [TestCase("var awaiter = SomeAsync().GetAwaiter(); awaiter.OnCompleted(() => "
        + "connection.Reactor.Post(() => {|SR0002:SomeAsync().GetAwaiter().GetResult()|}));")]
    [TestCase("{|SR0002:connection.Output.FlushAsync().GetAwaiter().GetResult()|};")]
    [TestCase("{|SR0002:Task.WaitAll(SomeAsync())|};")]
    [TestCase("{|SR0002:Task.WaitAny(SomeAsync())|};")]
    [TestCase("{|SR0002:new Thread(() => { }).Join()|};")]
    [TestCase("{|SR0002:new SemaphoreSlim(1).Wait()|};")]
    [TestCase("{|SR0002:new ManualResetEvent(false).WaitOne()|};")]
    [TestCase("{|SR0002:new ManualResetEventSlim().Wait(1000)|};")]
    [TestCase("{|SR0002:Console.ReadLine()|};")]
    [TestCase("{|SR0002:Dns.GetHostEntry(\"a\")|};")]
    [TestCase("foreach (int i in new[] { 1 }) { if (i > 0) { {|SR0002:Thread.Sleep(i)|}; } }")]
    [TestCase("void Local() => {|SR0002:Thread.Sleep(10)|}; Local();")]
    [TestCase("connection.Reactor.Post(() => connection.Reactor.Post(() => {|SR0002:Thread.Sleep(10)|}));")]
    public Task ABlockingCallInAHandler_IsReported(string statement) => VerifyInHandlerAsync(statement);

    [TestCase("_ = Task.Run(() => Thread.Sleep(10));")]
    [TestCase("new Thread(() => Thread.Sleep(10)).Start();")]
    [TestCase("SomeAsync().ContinueWith(done => done.Result);")]
    [TestCase("Thread.Sleep(0);")]
    [TestCase("new SemaphoreSlim(1).Wait(0);")]
    [TestCase("new SemaphoreSlim(1).Wait(TimeSpan.Zero);")]
    [TestCase("var task = SomeAsync(); if (task.IsCompletedSuccessfully) { _ = task.Result; }")]
    [TestCase("var task = SomeAsync(); _ = task.IsCompleted ? task.Result : 0;")]
    [TestCase("var task = SomeAsync(); if (task is { IsCompleted: true }) { _ = task.Result; }")]
    [TestCase("if (SomeAsync() is { IsCompletedSuccessfully: true, Result: 1 }) { }")]
    [TestCase("_ = Task.FromResult(1).Result;")]
    [TestCase("void Local() => Thread.Sleep(10); _ = Task.Run(Local);")]
    [TestCase("Func<int> read = () => SomeAsync().Result; _ = Task.Run(read);")]
    [TestCase("_ = nameof(Thread.Sleep);")]
    [TestCase("_ = nameof(_task.Result);")]
    [TestCase("_ = _task.Result;")]
    [TestCase("if (IsReady()) { _ = _task.Result; } bool IsReady() => _task.IsCompleted;")]
    [TestCase("foreach (var task in new[] { _task }.Where(one => one.IsCompletedSuccessfully)) { _ = task.Result; }")]
    [TestCase("switch (_task?.Status) { case TaskStatus.RanToCompletion: _ = _task.Result; break; }")]
    [TestCase("var source = new TaskCompletionSource<int>(); source.SetResult(1); _ = source.Task.Result;")]
    [TestCase("new SemaphoreSlim(1).Wait(TimeSpan.FromMilliseconds(0));")]
    [TestCase("_ = result.Result;")]
    [TestCase("var awaiter = SomeAsync().GetAwaiter(); awaiter.OnCompleted(() => awaiter.GetResult());")]
    [TestCase("var awaiter = SomeAsync().ConfigureAwait(false).GetAwaiter(); awaiter.UnsafeOnCompleted(Take); "
        + "void Take() => awaiter.GetResult();")]
    [TestCase("var awaiter = SomeAsync().GetAwaiter(); if (awaiter.IsCompleted) { awaiter.GetResult(); }")]
    [TestCase("var awaiter = SomeAsync().GetAwaiter(); connection.Reactor.Post(() => awaiter.GetResult());")]
    [TestCase("_awaiter = SomeAsync().GetAwaiter(); _awaiter.OnCompleted(TakeStored);")]
    public Task OtherCode_IsRight(string statement) => VerifyInHandlerAsync(statement);

    [Test]
    public Task MethodsOfTheTypeThatCallbacksCall_AreReported() => VerifyAsync("""
        partial class Tested(Reactor reactor) : ConnectionHandler
        {
            public override void OnReadable(Connection connection) => First();
            void First() => Second<int>();
            void Second<T>() => {|SR0002:Thread.Sleep(1)|};
            void Third() => Thread.Sleep(1);
            void Fourth() => {|SR0002:Thread.Sleep(1)|};
            static void Fifth(Connection connection) => {|SR0002:Thread.Sleep(1)|};
            class Nested { void Sixth() => Thread.Sleep(1); }
        }

        partial class Tested
        {
            void Start() => reactor.Schedule(TimeSpan.Zero, Fourth);
            void Join(ReconnectingClient client) => client.Connected += Fifth;
        }
        """);

    [Test]
    public Task AnAsyncHandler_IsReported_UpToWhereItLeavesTheLoop() => VerifyAsync("""
        class Tested : AsyncConnectionHandler
        {
            protected override async Task ServeAsync(Connection connection, CancellationToken closed)
            {
                {|SR0002:Thread.Sleep(1)|};
                await Task.Delay(1, closed);
                {|SR0002:Thread.Sleep(1)|};
                Task<int> one = SomeAsync(), two = SomeAsync();
                await Task.WhenAll(one, two);
                _ = one.Result + two.Result;
                await Task.Delay(1, closed).ConfigureAwait(false);
                Thread.Sleep(1);
            }

            static Task<int> SomeAsync() => Task.FromResult(1);
        }
        """);

    [Test]
    public Task CallbacksOfAllKinds_AreReported() => VerifyAsync("""
        class Tested : IAcceptFilter, IEventHandler
        {
            public bool Allows(EndPoint? remoteEndPoint) { {|SR0002:Thread.Sleep(1)|}; return true; }
            void IEventHandler.OnReady(SelectionKey key) => {|SR0002:Thread.Sleep(1)|};

            void Start(Reactor reactor, Connection connection, EndPoint endPoint)
            {
                reactor.InvokeAsync(() => {|SR0002:Thread.Sleep(1)|});
                reactor.TryPost(delegate { {|SR0002:Thread.Sleep(1)|}; });
                reactor.Run(async () => { {|SR0002:Thread.Sleep(1)|}; });
                connection.Schedule(TimeSpan.Zero, () => {|SR0002:Thread.Sleep(1)|});
                reactor.Listen(endPoint, async (one, closed) => {|SR0002:Thread.Sleep(1)|});
                reactor.Listen(endPoint, one => { {|SR0002:Thread.Sleep(1)|}; return null!; });
                var pool = new ConnectionPoolOptions { Prepare = async (one, closed) => {|SR0002:Thread.Sleep(1)|} };
                Thread.Sleep(1);
            }
        }
        """);

    [Test]
    public Task AProgram_MayWaitOutsideOfItsCallbacks() => VerifyAsync("""
        using var reactor = new Reactor();
        reactor.Post(() => Say());
        var thread = new Thread(() => reactor.Run());
        thread.Start();
        reactor.InvokeAsync(() => 1).Wait();
        Thread.Sleep(1);

        void Say()
        {
            {|SR0002:Thread.Sleep(1)|};
        }
        """);

    [Test]
    public Task CodeThatAsksForItsThread_IsRight() => VerifyAsync("""
        class Tested(Reactor reactor) : ConnectionHandler
        {
            public override void OnReadable(Connection connection) => Flush();

            void Flush()
            {
                if (reactor.IsReactorThread) return;
                reactor.InvokeAsync(() => 1).Wait();
            }
        }
        """);

    [Test]
    public Task WithoutTheLibrary_NothingIsReported() => VerifyAsync("""
        class Tested
        {
            void Post(Action action) => action();
            void Run() => Post(() => Thread.Sleep(1));
        }
        """);

    private static Task VerifyInHandlerAsync(string statement) => VerifyAsync($$"""
        class Tested : ConnectionHandler
        {
            private readonly (int Result, int Other) result = (1, 2);
            private readonly Task<int> _task = Task.FromResult(1);
            private System.Runtime.CompilerServices.TaskAwaiter<int> _awaiter;

            public override void OnReadable(Connection connection)
            {
                {{statement}}
            }

            // The continuation of an awaiter, also as the callback of a timer, is called when it is complete.
            void Start(Connection connection) => connection.Schedule(TimeSpan.Zero, TakeStored);
            void TakeStored() => _awaiter.GetResult();

            static Task<int> SomeAsync() => Task.FromResult(1);
        }
        """);

    private static Task VerifyAsync(string code) => AnalyzerTest.VerifyAsync<BlockingAnalyzer>(code);
}
