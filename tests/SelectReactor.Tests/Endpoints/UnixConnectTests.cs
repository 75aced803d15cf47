using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

public sealed class UnixConnectTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly ScriptedHandler _handler = new();
    private readonly List<Socket> _waiting = [];
    private string _path = null!;

    [SetUp]
    public void ChoosePath()
    {
        _path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.sock");
        _handler.Connections.Clear();
    }

    [TearDown]
    public void CloseAll()
    {
        _waiting.ForEach(static socket => socket.Dispose());
        _waiting.Clear();
        File.Delete(_path);
    }

    [Test]
    public void FullBacklog_IsTriedAgain_AndNeverTakenForAConnection()
    {
        using Socket listener = ListenWithFullBacklog();
        Task<Connection> attempt = Reactor.ConnectAsync(new UnixDomainSocketEndPoint(_path), _handler);
        for (int i = 0; i < 10; i++)
        {
            Reactor.RunOnce(TimeSpan.FromMilliseconds(10));
        }

        Assert.That((attempt.IsCompleted, _handler.IsConnected), Is.EqualTo((false, false)));

        while (!attempt.IsCompleted)
        {
            listener.Accept().Dispose();
            Reactor.RunOnce(TimeSpan.FromMilliseconds(30));
        }

        Assert.That(RunUntil(attempt).State, Is.EqualTo(ConnectionState.Open));
    }

    [Test]
    public void FullBacklog_EndsWithTheTimeOut()
    {
        using Socket listener = ListenWithFullBacklog();
        Task<Connection> attempt = Reactor.ConnectAsync(
            new UnixDomainSocketEndPoint(_path),
            _handler,
            new ConnectOptions { Timeout = TimeSpan.FromMilliseconds(100) });

        Assert.That(() => RunUntil(attempt), Throws.InstanceOf<TimeoutException>());
        Assert.That(_handler.IsConnected, Is.False);
    }

    private Socket ListenWithFullBacklog()
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(_path));
        listener.Listen(1);
        for (SocketError error = SocketError.Success; error == SocketError.Success;)
        {
            var client =
                new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            _waiting.Add(client);
            try
            {
                client.Connect(new UnixDomainSocketEndPoint(_path));
            }
            catch (SocketException exception)
            {
                error = exception.SocketErrorCode;
            }
        }

        return listener;
    }
}
