using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>Every kind of address that can be listened on, and sockets that come from elsewhere.</summary>
public sealed class AddressTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly ScriptedHandler _handler = new() { Readable = ScriptedHandler.Echo };
    private string _path = null!;

    [SetUp]
    public void Forget()
    {
        _handler.Connections.Clear();
        _handler.CloseReasons.Clear();
        _path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.sock");
    }

    [TearDown]
    public void RemoveFile() => File.Delete(_path);

    [Test]
    public void IPv6_Alone_TakesNoIPv4()
    {
        using Listener listener = Reactor.Listen(new IPEndPoint(IPAddress.IPv6Any, 0), _handler);
        int port = ((IPEndPoint)listener.LocalEndPoint).Port;

        AssertEchoes(new IPEndPoint(IPAddress.IPv6Loopback, port));
        Assert.That(Peer.CanConnect(new IPEndPoint(IPAddress.Loopback, port)), Is.False);
    }

    [Test]
    public void DualMode_TakesBoth()
    {
        using Listener listener = Reactor.Listen(
            new IPEndPoint(IPAddress.IPv6Any, 0), _handler, new ListenerOptions { DualMode = true });
        int port = ((IPEndPoint)listener.LocalEndPoint).Port;

        AssertEchoes(new IPEndPoint(IPAddress.IPv6Loopback, port));
        AssertEchoes(new IPEndPoint(IPAddress.Loopback, port));
        Assert.That(((IPEndPoint)_handler.Connection.RemoteEndPoint!).Address.IsIPv4MappedToIPv6);
    }

    [Test]
    public void UnixSocket_IsAFile_ThatGoesWithTheListener()
    {
        using (Listener listener = Reactor.Listen(new UnixDomainSocketEndPoint(_path), _handler))
        {
            AssertEchoes(listener.LocalEndPoint);
            Assert.That(File.Exists(_path));
        }

        Assert.That(File.Exists(_path), Is.False);
    }

    [Test]
    public void UnixSocket_ThatWasAbandoned_IsTakenOver_AndALiveOneIsNot()
    {
        UnixFile.Abandon(_path);
        using Listener listener = Reactor.Listen(new UnixDomainSocketEndPoint(_path), _handler);
        AssertEchoes(listener.LocalEndPoint);

        SocketException error = Assert.Throws<SocketException>(
            () => Reactor.Listen(listener.LocalEndPoint, _handler))!;
        Assert.That(error.SocketErrorCode, Is.EqualTo(SocketError.AddressAlreadyInUse));
        AssertEchoes(listener.LocalEndPoint);
    }

    [Test]
    public void ReusePort_SharesAPort_AmongThoseWhoSaySo()
    {
        var sharing = new ListenerOptions { ReusePort = true };
        using Listener one = Reactor.Listen(AnyPort, _handler, sharing);
        using Listener other = Reactor.Listen(one.LocalEndPoint, _handler, sharing);
        Assert.That(() => Reactor.Listen(one.LocalEndPoint, _handler), Throws.InstanceOf<SocketException>());
        one.Dispose();

        AssertEchoes(other.LocalEndPoint);
    }

    [TestCase(true)]
    [TestCase(false)]
    public void InheritedSocket_IsListenedOn(bool listensAlready)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(AnyPort);
        if (listensAlready)
        {
            socket.Listen();
        }

        EndPoint address = socket.LocalEndPoint!;
        using (Listener listener = Reactor.Listen(socket, _ => _handler, new ListenerOptions()))
        {
            Assert.That(listener.LocalEndPoint, Is.EqualTo(address));
            AssertEchoes(address);
        }

        Assert.That(socket.SafeHandle.IsClosed);
    }

    [Test]
    public void SocketThatIsNotBoundOrConnected_IsRefused()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.That(() => Reactor.Listen(socket, _ => _handler, new ListenerOptions()), Throws.ArgumentException);
        Assert.That(() => Reactor.Adopt(socket, _handler, new ConnectionOptions()), Throws.ArgumentException);
    }

    [Test]
    public void AdoptedSocket_BecomesAConnection_InALaterPhase()
    {
        using Socket listener = Peer.Listen();
        using var client = Peer.Connect(listener.LocalEndPoint!);
        Connection connection = Reactor.Adopt(listener.Accept(), _handler, new ConnectionOptions());
        Assert.That((connection.State, _handler.IsConnected), Is.EqualTo((ConnectionState.Opening, false)));
        RunUntil(() => _handler.IsConnected);

        client.Send("hi"u8);
        RunUntil(() => client.Socket.Available == 2);
        client.EndOutput();
        RunUntil(() => _handler.IsClosed);
        Assert.That(_handler.CloseReason.Kind, Is.EqualTo(CloseKind.PeerClosed));
    }

    [Test]
    public void SocketOptions_AreSet()
    {
        var options = new ConnectionOptions
        {
            KeepAliveTime = TimeSpan.FromSeconds(77),
            SendBufferBytes = 20_000,
            ReceiveBufferBytes = 30_000,
        };
        using Socket listener = Peer.Listen();
        using var client = Peer.Connect(listener.LocalEndPoint!);
        Socket accepted = listener.Accept();
        Reactor.Adopt(accepted, _handler, options);

        Assert.That(
            accepted.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime), Is.EqualTo(77));
        Assert.That(
            accepted.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval), Is.EqualTo(10));
        Assert.That(
            accepted.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount), Is.EqualTo(6));
        Assert.That(accepted.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive), Is.Not.EqualTo(0));
        Assert.That(accepted.NoDelay);
        Assert.That(accepted.SendBufferSize, Is.InRange(20_000, 40_000));
        Assert.That(accepted.ReceiveBufferSize, Is.InRange(30_000, 60_000));
    }

    [Test]
    public void KeepAliveIntervalAndProbes_AreSet_AndTooLargeOnesAreTheLargest([Values] bool tooLarge)
    {
        var options = new ConnectionOptions
        {
            KeepAliveTime = tooLarge ? TimeSpan.MaxValue : TimeSpan.FromSeconds(1.5),
            KeepAliveInterval = tooLarge ? TimeSpan.MaxValue : TimeSpan.FromSeconds(3),
            KeepAliveProbes = tooLarge ? int.MaxValue : 4,
        };
        using Socket listener = Peer.Listen();
        using var client = Peer.Connect(listener.LocalEndPoint!);
        Socket accepted = listener.Accept();
        Reactor.Adopt(accepted, _handler, options);

        Assert.That(
            new[]
            {
                SocketOptionName.TcpKeepAliveTime,
                SocketOptionName.TcpKeepAliveInterval,
                SocketOptionName.TcpKeepAliveRetryCount,
            }
                .Select(name => accepted.GetSocketOption(SocketOptionLevel.Tcp, name)),
            Is.EqualTo(tooLarge ? new[] { 32_767, 32_767, 127 } : new[] { 2, 3, 4 }));
    }

    [Test]
    public void MappedAddress_MeansTheIPv4Address_WhenListening()
    {
        using Listener listener = Reactor.Listen(new IPEndPoint(IPAddress.Loopback.MapToIPv6(), 0), _handler);

        Assert.That(((IPEndPoint)listener.LocalEndPoint).Address, Is.EqualTo(IPAddress.Loopback));
        AssertEchoes(listener.LocalEndPoint);
    }

    [Test]
    public void DualMode_ListensOnAMappedAddressAsItIs()
    {
        using Listener listener = Reactor.Listen(
            new IPEndPoint(IPAddress.Loopback.MapToIPv6(), 0), _handler, new ListenerOptions { DualMode = true });

        Assert.That(((IPEndPoint)listener.LocalEndPoint).Address, Is.EqualTo(IPAddress.Loopback.MapToIPv6()));
        AssertEchoes(new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalEndPoint).Port));
    }

    [Test]
    public void LingerThatSomebodyElseSet_IsTurnedOff()
    {
        using Socket listener = Peer.Listen();
        using var client = Peer.Connect(listener.LocalEndPoint!);
        Socket adopted = listener.Accept();
        adopted.LingerState = new LingerOption(enable: true, seconds: 60);
        Reactor.Adopt(adopted, _handler, new ConnectionOptions());

        var inherited = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        inherited.LingerState = new LingerOption(enable: true, seconds: 60);
        inherited.Bind(AnyPort);
        using Listener listening = Reactor.Listen(inherited, _ => _handler, new ListenerOptions());

        // Accepted sockets inherit it from the listening one.
        Assert.That((adopted.LingerState.Enabled, inherited.LingerState.Enabled), Is.EqualTo((false, false)));
    }

    [Test]
    public void Close_DoesNotBlock_ThoughSomebodyElseSetALinger()
    {
        var handler = new ScriptedHandler
        {
            Connected = static connection =>
            {
                connection.TryWrite(new byte[200_000]);
                connection.Close();
            },
        };
        using Socket listener = Peer.Listen();
        listener.ReceiveBufferSize = 4096;
        using var client = Peer.Connect(listener.LocalEndPoint!);
        using Socket silent = listener.Accept();
        client.Socket.LingerState = new LingerOption(enable: true, seconds: 60);
        using var thread = new ReactorThread(Options());
        Task<CloseReason> closed = thread.Reactor.InvokeAsync(() => thread.Reactor.Adopt(
            client.Socket,
            handler,
            new ConnectionOptions { LingerTimeout = TimeSpan.FromMilliseconds(100) }).Completion);

        // The peer has not read: with its linger, the system would wait for a minute.
        Assert.That(closed.Wait(Bound));
    }

    private void AssertEchoes(EndPoint address)
    {
        int before = _handler.Connections.Count;
        var peer = Peer.Connect(address);
        RunUntil(() => _handler.Connections.Count > before);
        peer.Send("hi"u8);
        RunUntil(() => peer.Socket.Available == 2);
        peer.Dispose();
        RunUntil(() => _handler.CloseReasons.Count == _handler.Connections.Count);
    }
}
