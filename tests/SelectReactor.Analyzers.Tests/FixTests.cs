namespace SelectReactor.Analyzers.Tests;

public sealed class FixTests
{
    [TestCase("void {|SR0003:OnConected|}(Connection connection) { }",
        "public override void OnConnected(Connection connection) { }")]
    [TestCase("// Greets.\n    void {|SR0003:OnConnect|}(Connection connection) { }",
        "// Greets.\n    public override void OnConnected(Connection connection) { }")]
    [TestCase("private void {|SR0003:OnClose|}(Connection one, CloseReason why) { }",
        "public override void OnClosed(Connection one, CloseReason why) { }")]
    [TestCase("private async void {|SR0003:OnStoping|}(Connection one) => await Task.Delay(1);",
        "public override async void OnStopping(Connection one) => await Task.Delay(1);")]
    public Task AMisspeltMethod_BecomesTheCallback(string method, string callback) =>
        AnalyzerTest.VerifyFixAsync<HandlerMethodAnalyzer, HandlerMethodFix>(
            HandlerWith("ConnectionHandler", "override ", method),
            HandlerWith("ConnectionHandler", "override ", callback));

    [TestCase("void {|SR0003:OnConnected|}(Connection connection) { }",
        "public void OnConnected(Connection connection) { }")]
    [TestCase("internal void {|SR0003:OnClosed|}(Connection one, CloseReason why) { }",
        "public void OnClosed(Connection one, CloseReason why) { }")]
    public Task AMethodThatIsNotPublic_ImplementsTheInterface(string method, string callback) =>
        AnalyzerTest.VerifyFixAsync<HandlerMethodAnalyzer, HandlerMethodFix>(
            HandlerWith("IConnectionHandler", "", method), HandlerWith("IConnectionHandler", "", callback));

    [TestCase("public void {|SR0003:OnClosed|}(Connection connection) { }", TestName = "other parameters")]
    [TestCase("public Task {|SR0003:OnConnected|}(Connection connection) => null!;", TestName = "another result")]
    [TestCase("public void {|SR0003:OnConected|}(Connection connection) { }", TestName = "others may call it")]
    public Task AMethodWithAnotherSignature_HasNoFix(string method) =>
        AnalyzerTest.VerifyFixAsync<HandlerMethodAnalyzer, HandlerMethodFix>(
            HandlerWith("IConnectionHandler", "", method), HandlerWith("IConnectionHandler", "", method));

    [TestCase("{|SR0002:Thread.Sleep(10)|};", "await Task.Delay(10);")]
    [TestCase("{|SR0002:SomeAsync().Wait()|};", "await SomeAsync();")]
    [TestCase("{|SR0002:SomeAsync().GetAwaiter().GetResult()|};", "await SomeAsync();")]
    [TestCase("int i = {|SR0002:SomeAsync().Result|};", "int i = await SomeAsync();")]
    [TestCase("string s = {|SR0002:SomeAsync().Result|}.ToString();", "string s = (await SomeAsync()).ToString();")]
    [TestCase("{|SR0002:SomeAsync().ConfigureAwait(false).GetAwaiter().GetResult()|};",
        "await SomeAsync().ConfigureAwait(false);")]
    public Task ABlockingCall_IsAwaited(string statement, string awaited) =>
        AnalyzerTest.VerifyFixAsync<BlockingAnalyzer, BlockingFix>(ServeWith(statement), ServeWith(awaited));

    [TestCase("{|SR0002:SomeAsync().Wait(1000)|};", TestName = "a wait that gives up")]
    [TestCase("lock (this) { {|SR0002:SomeAsync().Wait()|}; }", TestName = "inside a lock")]
    [TestCase("{|SR0002:new ManualResetEventSlim().Wait()|};", TestName = "no task")]
    [TestCase("connection.Reactor.Post(() => {|SR0002:Thread.Sleep(1)|});", TestName = "in a synchronous function")]
    [TestCase("Span<byte> span = [1]; {|SR0002:Thread.Sleep(1)|}; span[0] = 2;", TestName = "beside a span")]
    public Task AnotherBlockingCall_HasNoFix(string statement) =>
        AnalyzerTest.VerifyFixAsync<BlockingAnalyzer, BlockingFix>(ServeWith(statement), ServeWith(statement));

    private static string HandlerWith(string type, string modifier, string method) => $$"""
        class Tested : {{type}}
        {
            public {{modifier}}void OnReadable(Connection connection) { }
            {{method}}
        }
        """;

    private static string ServeWith(string statement) => $$"""
        class Tested : AsyncConnectionHandler
        {
            protected override async Task ServeAsync(Connection connection, CancellationToken closed)
            {
                {{statement}}
            }

            static Task<int> SomeAsync() => Task.FromResult(1);
        }
        """;
}
