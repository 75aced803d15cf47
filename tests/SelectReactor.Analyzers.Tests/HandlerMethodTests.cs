using Microsoft.CodeAnalysis.Testing;

namespace SelectReactor.Analyzers.Tests;

public sealed class HandlerMethodTests
{
    [TestCase("public void {|SR0003:OnConected|}(Connection connection) { }")]
    [TestCase("void {|SR0003:OnConnect|}(Connection connection) { }")]
    [TestCase("void {|SR0003:OnWriteable|}(Connection connection) { }")]
    [TestCase("void {|SR0003:OnWrite|}(Connection connection) { }")]
    [TestCase("public void {|SR0003:onConnected|}(Connection connection) { }")]
    [TestCase("private void {|SR0003:OnClose|}(Connection connection, CloseReason reason) { }")]
    [TestCase("public void {|SR0003:OnClosed|}(Connection connection) { }")]
    [TestCase("public void {|SR0003:OnClosed|}(Connection connection, Exception error) { }")]
    [TestCase("Task {|SR0003:OnConnect|}(Connection connection) => Task.CompletedTask;")]
    [TestCase("public new void {|SR0003:OnConnected|}(Connection connection) { }")]
    [TestCase("static void {|SR0003:OnStop|}(Connection connection) { }")]
    public Task AMethodLikeACallback_IsReported(string method) => VerifyAsync($$"""
        class Tested : ConnectionHandler
        {
            public override void OnReadable(Connection connection) { }
            {{method}}
        }
        """);

    [TestCase("public override void OnConnected(Connection connection) { }")]
    [TestCase("void OnMessage(Connection connection, string text) { }")]
    [TestCase("void OnClosed() { }")]
    [TestCase("void OnTimeout(Connection connection) { }")]
    [TestCase("public void OnConnect(Connection connection) { }")]
    [TestCase("internal void OnClose(Connection connection, CloseReason reason) { }")]
    [TestCase("void OnClose(Connection connection) { }")]
    [TestCase("void OnConnection(int connection) { }")]
    [TestCase("void OnConnecting(Connection connection) { }")]
    [TestCase("protected virtual void OnConnect(Connection connection) { }")]
    [TestCase("void OnConnect(Connection connection) { } void Other(Connection one) => OnConnect(one);")]
    [TestCase("void OnConnect(Connection connection) { } Action<Connection> Other() => OnConnect;")]
    [TestCase("public override void OnStopping(Connection connection) { } void OnStop(Connection connection) { }")]
    [TestCase("public override void OnClosed(Connection connection, CloseReason reason) { } "
        + "void OnClosed(Connection connection) { }")]
    public Task OtherMethods_AreRight(string method) => VerifyAsync($$"""
        class Tested : ConnectionHandler
        {
            public override void OnReadable(Connection connection) { }
            {{method}}
        }
        """);

    [TestCase("void {|SR0003:OnConnected|}(Connection connection) { }")]
    [TestCase("public Task {|SR0003:OnConnected|}(Connection connection) => Task.CompletedTask;")]
    [TestCase("public async Task {|SR0003:OnConnected|}(Connection connection) => await Task.Delay(1);")]
    [TestCase("internal void {|SR0003:OnClosed|}(Connection connection, CloseReason reason) { }")]
    [TestCase("public void {|SR0003:OnWritable|}(object connection) { }")]
    [TestCase("void {|SR0003:OnStopped|}(Connection connection) { }")]
    public Task AMethodThatDoesNotImplementTheInterface_IsReported(string method) => VerifyAsync($$"""
        class Tested : IConnectionHandler
        {
            public void OnReadable(Connection connection) { }
            {{method}}
        }
        """);

    [TestCase("public void OnConnected(Connection connection) { }")]
    [TestCase("void IConnectionHandler.OnConnected(Connection connection) { }")]
    [TestCase("void IConnectionHandler.OnConnected(Connection connection) { } void OnConnect(Connection one) { }")]
    [TestCase("public void Dispose() { }")]
    public Task AMethodThatImplementsTheInterface_IsRight(string method) => VerifyAsync($$"""
        class Tested : IConnectionHandler
        {
            public void OnReadable(Connection connection) { }
            {{method}}
        }
        """);

    [Test]
    public Task AMethodOfADerivedClass_DoesNotImplementTheInterfaceOfItsBase() => VerifyAsync("""
        class Base : IConnectionHandler
        {
            public void OnReadable(Connection connection) { }
        }

        class Tested : Base
        {
            public void {|SR0003:OnConnected|}(Connection connection) { }
        }

        class Listed : Base, IConnectionHandler
        {
            public void OnConnected(Connection connection) { }
        }
        """);

    [Test]
    public Task AMethodOfAnotherInterface_IsRight() => VerifyAsync("""
        interface IMine { void OnConnect(Connection connection); }

        class Tested : ConnectionHandler, IMine
        {
            public override void OnReadable(Connection connection) { }
            public void OnConnect(Connection connection) { }
        }
        """);

    [Test]
    public Task OtherHandlers_AreReported() => VerifyAsync("""
        class Datagrams : DatagramHandler
        {
            public override void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> bytes) { }
            public void {|SR0003:OnErrors|}(DatagramSocket socket, System.Net.Sockets.SocketError error) { }
        }

        class Messages<T>(MessageDecoder<T> decoder, MessageEncoder<T> encoder)
            : MessageHandler<T, T>(decoder, encoder)
        {
            protected override void OnMessage(Connection connection, T message) { }
            private void {|SR0003:OnMessagesEnd|}(Connection connection) { }
        }

        class Served : AsyncConnectionHandler
        {
            protected override Task ServeAsync(Connection connection, CancellationToken closed) => Task.CompletedTask;
            public void {|SR0003:OnStoping|}(Connection connection) { }
        }

        class Unrelated
        {
            public void OnConect(Connection connection) { }
        }
        """);

    [Test]
    public Task TheMessage_SaysWhatToWrite()
    {
        DiagnosticResult expected = new DiagnosticResult(Rules.NeverCalled)
            .WithSpan(4, 17, 4, 25)
            .WithArguments(
                "OnClosed",
                "the callback is 'public override void OnClosed(Connection connection, CloseReason reason)'");
        return AnalyzerTest.VerifyAsync<HandlerMethodAnalyzer>(
            """
            class Tested : ConnectionHandler
            {
                public override void OnReadable(Connection connection) { }
                public void OnClosed(Connection connection) { }
            }
            """, expected);
    }

    private static Task VerifyAsync(string code) => AnalyzerTest.VerifyAsync<HandlerMethodAnalyzer>(code);
}
