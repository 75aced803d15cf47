using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Testing.Tests.Conformance;

public sealed class AddressTests(string world) : ConformanceFixture(world)
{
    [Test]
    public void FreshHandle_HasNoAddress()
    {
        Handle handle = NewStream();

        Assert.That((handle.LocalEndPoint, handle.RemoteEndPoint), Is.EqualTo(((EndPoint?)null, (EndPoint?)null)));
        Assert.That(handle.IsClosed, Is.False);
    }

    [Test]
    public void Bind_ToPortZero_ChoosesOne()
    {
        Handle handle = NewListener();

        Assert.That(handle.Bind(AnyLoopbackPort), Is.EqualTo(SocketError.Success));

        Assert.That(handle.LocalEndPoint, Is.InstanceOf<IPEndPoint>().With.Property(nameof(IPEndPoint.Port)).Not.Zero);
        Assert.That(handle.RemoteEndPoint, Is.Null);
    }

    [Test]
    public void Bind_WhereOneListens_IsInUse([Values] bool any)
    {
        Handle second = NewListener();

        SocketError error = second.Bind(new IPEndPoint(any ? IPAddress.Any : IPAddress.Loopback, PortOf(Listening())));

        Assert.That(error, Is.EqualTo(SocketError.AddressAlreadyInUse));
        Assert.That(second.LocalEndPoint, Is.Null);
    }

    // The runtime sets SO_REUSEADDR whenever it binds.
    [Test]
    public void Bind_WhereOneIsOnlyBound_Succeeds_AndTheFirstToListenHasIt([Values] bool any)
    {
        Handle first = BoundOne(), second = NewListener();

        SocketError error = second.Bind(new IPEndPoint(any ? IPAddress.Any : IPAddress.Loopback, PortOf(first)));

        Assert.That(error, Is.EqualTo(SocketError.Success));
        Assert.That(second.Listen(1), Is.EqualTo(SocketError.Success));
        Assert.That(first.Listen(1), Is.EqualTo(SocketError.AddressAlreadyInUse));
        second.Close();
        Assert.That(first.Listen(1), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Bind_ToThePortThatAClientWasGiven_IsInUse()
    {
        Handle client = Pair().Client;

        Assert.That(NewListener().Bind(client.LocalEndPoint!), Is.EqualTo(SocketError.AddressAlreadyInUse));
    }

    [Test]
    public void Bind_ToThePortThatAClientBoundItselfTo_Succeeds()
    {
        Handle client = NewStream();
        client.Bind(AnyLoopbackPort);
        client.Connect(Listening().LocalEndPoint!);
        WaitFor(client, Interest.Connect);
        Handle listener = NewListener();

        Assert.That(listener.Bind(client.LocalEndPoint!), Is.EqualTo(SocketError.Success));
        Assert.That(listener.Listen(1), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Bind_WhereAListenerWas_WhoseClientsAreStillConnected_Succeeds()
    {
        Handle listener = Listening();
        EndPoint address = listener.LocalEndPoint!;
        Connected(listener);
        Accept(listener);
        listener.Close();
        Handle second = NewListener();

        Assert.That(second.Bind(address), Is.EqualTo(SocketError.Success));
        Assert.That(second.Listen(1), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Bind_AfterClose_TakesTheSameAddress()
    {
        Handle first = Listening();
        EndPoint address = first.LocalEndPoint!;
        first.Close();

        Assert.That(NewListener().Bind(address), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void Bind_Twice_IsInvalid()
    {
        Handle handle = BoundOne();

        Assert.That(handle.Bind(AnyLoopbackPort), Is.EqualTo(SocketError.InvalidArgument));
    }

    [Test]
    public void Bind_ToAnAddressOfAnotherHost_IsNotAvailable() => Assert.That(
        NewListener().Bind(new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0)),
        Is.EqualTo(SocketError.AddressNotAvailable));

    [Test]
    public void Bind_OfAConnectedHandle_IsInvalid() => Assert.That(
        Pair().Client.Bind(AnyLoopbackPort), Is.EqualTo(SocketError.InvalidArgument));

    [Test]
    public void ReuseAddress_OnBoth_LetsTwoListenOnOnePort()
    {
        Handle first = Reusing(), second = Reusing(), third = NewListener();
        Assert.That(first.Bind(AnyLoopbackPort), Is.EqualTo(SocketError.Success));
        Assert.That(second.Bind(first.LocalEndPoint!), Is.EqualTo(SocketError.Success));
        Assert.That(first.Listen(16), Is.EqualTo(SocketError.Success));
        Assert.That(second.Listen(16), Is.EqualTo(SocketError.Success));
        Assert.That(third.Bind(first.LocalEndPoint!), Is.EqualTo(SocketError.AddressAlreadyInUse));

        first.Close();
        Connected(second);
        Accept(second);
    }

    [Test]
    public void ReuseAddress_OnOne_IsNotEnough([Values] bool onFirst)
    {
        Handle first = onFirst ? Reusing() : NewListener();
        Handle second = onFirst ? NewListener() : Reusing();
        Assert.That(first.Bind(AnyLoopbackPort), Is.EqualTo(SocketError.Success));
        Assert.That(first.Listen(16), Is.EqualTo(SocketError.Success));

        Assert.That(second.Bind(first.LocalEndPoint!), Is.EqualTo(SocketError.AddressAlreadyInUse));
    }

    [Test]
    public void SetOption_OfWhatTheLibrarySets_Succeeds()
    {
        Handle handle = Pair().Client;
        (SocketOptionLevel Level, SocketOptionName Name, int Value)[] options =
        [
            (SocketOptionLevel.Tcp, SocketOptionName.NoDelay, 1),
            (SocketOptionLevel.Socket, SocketOptionName.KeepAlive, 1),
            (SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60),
            (SocketOptionLevel.Socket, SocketOptionName.SendBuffer, 10_000),
            (SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer, 10_000),
            (SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, 1),
        ];

        Assert.That(
            options.Select(option => handle.SetOption(option.Level, option.Name, option.Value)),
            Is.All.EqualTo(SocketError.Success));
    }

    [Test]
    public void ConnectedHandle_KeepsItsAddresses_AfterTheEndAndAReset([Values] bool reset)
    {
        (Handle client, Handle server) = Pair();
        (EndPoint? Local, EndPoint? Remote) before = (client.LocalEndPoint, client.RemoteEndPoint);
        if (reset)
        {
            server.Abort();
        }
        else
        {
            server.Close();
        }

        ReceiveNothing(client);

        Assert.That((client.LocalEndPoint, client.RemoteEndPoint), Is.EqualTo(before));
        client.Close();
        Assert.That((client.LocalEndPoint, client.RemoteEndPoint), Is.EqualTo(((EndPoint?)null, (EndPoint?)null)));
    }

    private static int PortOf(Handle handle) => ((IPEndPoint)handle.LocalEndPoint!).Port;

    private Handle BoundOne()
    {
        Handle handle = NewListener();
        Assert.That(handle.Bind(AnyLoopbackPort), Is.EqualTo(SocketError.Success));
        return handle;
    }

    private Handle Reusing()
    {
        Handle handle = NewListener();
        SocketError error = handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, 1);
        Assert.That(error, Is.EqualTo(SocketError.Success));
        return handle;
    }
}
