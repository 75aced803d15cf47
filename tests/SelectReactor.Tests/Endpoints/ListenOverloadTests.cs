using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>Every form of <c>Listen</c> and <c>ListenAsync</c> serves: with a handler, a factory or a method, on an
/// address or a bound socket, with options or without.</summary>
public sealed class ListenOverloadTests(SelectorKind selector) : ReactorFixture(selector)
{
    private const string Handler = "handler", Factory = "factory", Method = "method";
    private const string Address = "address", BoundSocket = "socket";

    private int _closed;

    [Test]
    public void EachForm_EchoesToItsClient(
        [Values(Handler, Factory, Method)] string served,
        [Values(Address, BoundSocket)] string on,
        [Values] bool withOptions,
        [Values] bool isAsync)
    {
        using Listener listener = isAsync
            ? RunUntil(ListenAsync(served, on, withOptions))
            : Listen(served, on, withOptions);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send("message"u8);
        RunUntil(() => peer.Socket.Available == 7, "the echo");

        Assert.That(peer.Receive(7), Is.EqualTo("message"u8.ToArray()));
        Assert.That((listener.Accepted, listener.ConnectionCount), Is.EqualTo((1L, 1)));
    }

    [Test]
    public void AMethodGroup_Resolves()
    {
        using Listener serving = Reactor.Listen(AnyPort, ServeAsync);
        using Listener making = Reactor.Listen(AnyPort, Make);
        using var first = Peer.Connect(serving.LocalEndPoint);
        using var second = Peer.Connect(making.LocalEndPoint);
        first.Send("1"u8);
        second.Send("2"u8);
        RunUntil(() => first.Socket.Available + second.Socket.Available == 2);
    }

    [Test]
    public void TheMethod_ClosesWhenItReturns_AndCutsWhenItThrows([Values] bool throws)
    {
        CloseReason? reason = null;
        using Listener listener = Reactor.Listen(AnyPort, async (connection, closed) =>
        {
            _ = NoteReason(connection);
            await connection.Input.ReadAsync();
            connection.Output.Write("bye"u8);
            if (throws)
            {
                throw new InvalidDataException("what it got");
            }
        });
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send("!"u8);
        if (throws)
        {
            RunUntil(() => reason is not null);
            Assert.That(reason!.Value.Kind, Is.EqualTo(CloseKind.HandlerFault));
            Assert.That(reason.Value.Error, Is.TypeOf<InvalidDataException>());
            Assert.That(peer.ReceiveToEnd, Throws.InstanceOf<SocketException>());
            return;
        }

        RunUntil(() => peer.Socket.Available == 3);
        Assert.That(peer.Receive(3), Is.EqualTo("bye"u8.ToArray()));
        peer.Dispose();
        RunUntil(() => reason is not null);
        Assert.That(reason!.Value.Kind, Is.EqualTo(CloseKind.Local));

        async Task NoteReason(Connection connection) => reason = await connection.Completion;
    }

    [Test]
    public void ItsToken_IsCancelledWhenTheConnectionCloses()
    {
        using Listener listener = Reactor.Listen(AnyPort, async (_, closed) =>
        {
            try
            {
                await Task.Delay(Timeout.Infinite, closed);
            }
            finally
            {
                _closed++;
            }
        });
        Peer.Connect(listener.LocalEndPoint).Reset();
        RunUntil(() => _closed == 1);
        RunUntil(() => listener.ConnectionCount == 0);
    }

    [Test]
    public void AMethodThatReturnsNoTask_IsAFaultThatSaysSo()
    {
        var logger = new ListLogger();
        using var reactor = new Reactor(Options(logger: logger));
        using Listener listener = reactor.Listen(AnyPort, static (_, _) => null!);
        using var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(reactor, () => listener is { Accepted: 1, ConnectionCount: 0 });

        Assert.That(logger.Entries, Has.Some.Matches<(Microsoft.Extensions.Logging.LogLevel, int, string, Exception?)>(
            static entry => entry.Item4 is { Message: var text } && text.Contains("returned null")));
    }

    [Test]
    public void NullArguments_AreNamed()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var handler = new ScriptedHandler();
        (string Name, Action Call)[] calls =
        [
            ("reactor", () => ((Reactor)null!).Listen(AnyPort, handler)),
            ("endPoint", () => Reactor.Listen((EndPoint)null!, handler)),
            ("socket", () => Reactor.Listen((Socket)null!, handler)),
            ("handler", () => Reactor.Listen(AnyPort, (IConnectionHandler)null!)),
            ("handlerFactory", () => Reactor.Listen(AnyPort, (Func<Connection, IConnectionHandler>)null!)),
            ("serve", () => Reactor.Listen(socket, (Func<Connection, CancellationToken, Task>)null!)),
            ("options", () => Reactor.Listen(AnyPort, handler, null!)),
            ("endPoint", () => Reactor.ListenAsync((EndPoint)null!, handler)),
            ("options", () => Reactor.ListenAsync(AnyPort, handler, null!)),
            ("handler", () => Reactor.Adopt(socket, (IConnectionHandler)null!)),
            ("handlerFactory", () => Reactor.Adopt(socket, (Func<Connection, IConnectionHandler>)null!)),
            ("endPoint", () => Reactor.ConnectAsync(null!)),
            ("options", () => Reactor.ConnectAsync(AnyPort, (ConnectOptions)null!)),
            ("handlerFactory", () => Reactor.ConnectAsync(AnyPort, (Func<Connection, IConnectionHandler>)null!)),
        ];
        foreach ((string name, Action call) in calls)
        {
            Assert.That(Assert.Throws<ArgumentNullException>(call)!.ParamName, Is.EqualTo(name));
        }
    }

    private static async Task ServeAsync(Connection connection, CancellationToken closed)
    {
        while (true)
        {
            ReadResult result = await connection.Input.ReadAsync(closed);
            foreach (ReadOnlyMemory<byte> part in result.Buffer)
            {
                connection.Output.Write(part.Span);
            }

            connection.Input.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
            {
                return;
            }
        }
    }

    private static ScriptedHandler Make(Connection connection) => new() { Readable = ScriptedHandler.Echo };

    private static Socket BoundOne()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(AnyPort);
        return socket;
    }

    private Listener Listen(string served, string on, bool withOptions) => (served, on, withOptions) switch
    {
        (Handler, Address, false) => Reactor.Listen(AnyPort, Make(null!)),
        (Handler, Address, true) => Reactor.Listen(AnyPort, Make(null!), new ListenerOptions()),
        (Factory, Address, false) => Reactor.Listen(AnyPort, connection => Make(connection)),
        (Factory, Address, true) => Reactor.Listen(AnyPort, _ => Make(null!), new ListenerOptions()),
        (Method, Address, false) => Reactor.Listen(AnyPort, async (c, closed) => await ServeAsync(c, closed)),
        (Method, Address, true) => Reactor.Listen(
            AnyPort, async (c, closed) => await ServeAsync(c, closed), new ListenerOptions()),
        (Handler, _, false) => Reactor.Listen(BoundOne(), Make(null!)),
        (Handler, _, true) => Reactor.Listen(BoundOne(), Make(null!), new ListenerOptions()),
        (Factory, _, false) => Reactor.Listen(BoundOne(), connection => Make(connection)),
        (Factory, _, true) => Reactor.Listen(BoundOne(), _ => Make(null!), new ListenerOptions()),
        (_, _, false) => Reactor.Listen(BoundOne(), async (c, closed) => await ServeAsync(c, closed)),
        (_, _, true) => Reactor.Listen(
            BoundOne(), async (c, closed) => await ServeAsync(c, closed), new ListenerOptions()),
    };

    private Task<Listener> ListenAsync(string served, string on, bool withOptions) => (served, on, withOptions) switch
    {
        (Handler, Address, false) => Reactor.ListenAsync(AnyPort, Make(null!)),
        (Handler, Address, true) => Reactor.ListenAsync(AnyPort, Make(null!), new ListenerOptions()),
        (Factory, Address, false) => Reactor.ListenAsync(AnyPort, connection => Make(connection)),
        (Factory, Address, true) => Reactor.ListenAsync(AnyPort, _ => Make(null!), new ListenerOptions()),
        (Method, Address, false) => Reactor.ListenAsync(AnyPort, async (c, closed) => await ServeAsync(c, closed)),
        (Method, Address, true) => Reactor.ListenAsync(
            AnyPort, async (c, closed) => await ServeAsync(c, closed), new ListenerOptions()),
        (Handler, _, false) => Reactor.ListenAsync(BoundOne(), Make(null!)),
        (Handler, _, true) => Reactor.ListenAsync(BoundOne(), Make(null!), new ListenerOptions()),
        (Factory, _, false) => Reactor.ListenAsync(BoundOne(), connection => Make(connection)),
        (Factory, _, true) => Reactor.ListenAsync(BoundOne(), _ => Make(null!), new ListenerOptions()),
        (_, _, false) => Reactor.ListenAsync(BoundOne(), async (c, closed) => await ServeAsync(c, closed)),
        (_, _, true) => Reactor.ListenAsync(
            BoundOne(), async (c, closed) => await ServeAsync(c, closed), new ListenerOptions()),
    };
}
