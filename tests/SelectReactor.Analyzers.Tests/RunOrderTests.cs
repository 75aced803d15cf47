namespace SelectReactor.Analyzers.Tests;

public sealed class RunOrderTests
{
    [TestCase("await {|SR0008:reactor.ConnectAsync(endPoint)|}; reactor.Run();")]
    [TestCase("using var listener = await {|SR0008:reactor.ListenAsync(endPoint, handler)|}; reactor.Run(stop);")]
    [TestCase("var one = await {|SR0008:reactor.InvokeAsync(() => 1)|}.ConfigureAwait(false); reactor.Run();")]
    [TestCase("reactor.Listen(endPoint, async (one, closed) => reactor.Stop()); "
        + "await {|SR0008:reactor.ConnectAsync(endPoint)|}; while (true) { reactor.RunOnce(TimeSpan.Zero); }")]
    public Task AnAwaitAboveTheLoop_IsReported(string statements) => VerifyAsync(statements);

    [TestCase("var connecting = reactor.ConnectAsync(endPoint); reactor.Run(); await connecting;")]
    [TestCase("reactor.Run(async () => { await reactor.ConnectAsync(endPoint); });")]
    [TestCase("reactor.Run(); await reactor.InvokeAsync(() => 1);")]
    [TestCase("new Thread(() => reactor.Run()).Start(); await reactor.ConnectAsync(endPoint);")]
    [TestCase("var loop = Task.Run(() => reactor.Run()); await reactor.ConnectAsync(endPoint); reactor.Run();")]
    [TestCase("Start(reactor); await reactor.ConnectAsync(endPoint); reactor.Run();")]
    [TestCase("await reactor.ConnectAsync(endPoint);")]
    [TestCase("await Task.Delay(1); reactor.Run();")]
    [TestCase("var copy = reactor; await reactor.ConnectAsync(endPoint); reactor.Run();")]
    [TestCase("await given.ConnectAsync(endPoint); given.Run();")]
    [TestCase("using var thread = new ReactorThread(); await thread.Reactor.ConnectAsync(endPoint); reactor.Run();")]
    public Task OtherCode_IsRight(string statements) => VerifyAsync(statements);

    [Test]
    public Task AProgram_IsReported() => AnalyzerTest.VerifyAsync<RunOrderAnalyzer>("""
        using var reactor = new Reactor();
        await {|SR0008:reactor.ConnectAsync(new IPEndPoint(IPAddress.Loopback, 7))|};
        reactor.Run();
        """);

    private static Task VerifyAsync(string statements) => AnalyzerTest.VerifyAsync<RunOrderAnalyzer>($$"""
        class Tested
        {
            async Task RunAsync(EndPoint endPoint, IConnectionHandler handler, Reactor given, CancellationToken stop)
            {
                using var reactor = new Reactor();
                await Task.Yield();
                {{statements}}
            }

            static void Start(Reactor reactor) { }
        }
        """);
}
