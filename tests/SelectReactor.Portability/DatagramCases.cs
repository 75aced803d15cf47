using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Portability;

/// <summary>Datagrams: results that systems report in different ways.</summary>
internal static class DatagramCases
{
    private static readonly IHandleFactory _handles = new ReactorOptions().HandleFactory;

    public static Action[] All { get; } =
    [
        Datagram_TellsItsSender, LongerDatagram_IsCut_AndSaysSo, EmptyDatagram_IsOne, TooLongDatagram_IsRefused,
        UnreachablePeer_IsRefused_AndTheHandleGoesOn, UnreachablePeer_IsNotTold_WithoutAFixedPeer,
        Send_WithoutAPeer_NeedsAnAddress, Sockets_Echo_AndGoOnAfterAnUnreachablePeer,
    ];

    private static void Datagram_TellsItsSender()
    {
        using Handle server = Bound(), client = New();
        Check.Equal(SocketError.WouldBlock, client.ReceiveFrom(new byte[1], NewAddress(), out _), "not bound");
        Send(client, server, [1, 2]);
        SocketAddress sender = NewAddress();
        byte[] buffer = new byte[9];
        int received = 0;

        SocketError error = Await(server, () => server.ReceiveFrom(buffer, sender, out received));
        Check.Equal(SocketError.Success, error, "error");
        Check.Equal(2, received, "bytes");
        var from = (IPEndPoint)new IPEndPoint(IPAddress.Any, 0).Create(sender);
        Check.Equal(((IPEndPoint)client.LocalEndPoint!).Port, from.Port, "port of the sender");
    }

    private static void LongerDatagram_IsCut_AndSaysSo()
    {
        using Handle server = Bound(), client = New();
        for (int room = 0; room < 3; room++)
        {
            foreach (bool withSender in new[] { false, true })
            {
                Send(client, server, [1, 2, 3]);
                byte[] buffer = new byte[room];
                int received = -1;
                SocketError error = Await(server, () => withSender
                    ? server.ReceiveFrom(buffer, NewAddress(), out received)
                    : server.Receive(buffer, out received));

                Check.Equal(SocketError.MessageSize, error, "error");
                Check.Equal(room, received, "bytes");
            }
        }
    }

    private static void EmptyDatagram_IsOne()
    {
        using Handle server = Bound(), client = New();
        Send(client, server, []);
        int received = -1;
        SocketError error = Await(server, () => server.ReceiveFrom(new byte[9], NewAddress(), out received));

        Check.Equal(SocketError.Success, error, "error");
        Check.Equal(0, received, "bytes");
    }

    private static void TooLongDatagram_IsRefused()
    {
        using Handle server = Bound(), client = New();
        SocketError error = client.SendTo(new byte[65_508], server.LocalEndPoint!.Serialize(), out int sent);

        Check.Equal(SocketError.MessageSize, error, "error");
        Check.Equal(0, sent, "bytes");
    }

    private static void UnreachablePeer_IsRefused_AndTheHandleGoesOn()
    {
        using Handle client = New();
        EndPoint gone;
        using (Handle server = Bound())
        {
            gone = server.LocalEndPoint!;
        }

        Check.Equal(SocketError.Success, client.Connect(gone), "connect");
        Check.Equal(SocketError.Success, client.Send([1], out _), "send");

        // Under wine only a later send reports the error.
        SocketError error = SocketError.WouldBlock;
        SpinWait.SpinUntil(
            () => (error = client.Receive(new byte[1], out _)) != SocketError.WouldBlock
                || (error = client.Send([1], out _)) != SocketError.Success,
            Wait.MaxMilliseconds);
        Check.Equal(SocketError.ConnectionRefused, error, "error");
        Check.Equal(gone, client.RemoteEndPoint, "peer");

        using Handle back = New();
        Check.Equal(SocketError.Success, back.Bind(gone), "bind");
        Check.Equal(SocketError.Success, client.Send([1], out _), "send again");
        Check.Equal(SocketError.Success, Await(back, () => back.Receive(new byte[1], out _)), "receive");
    }

    // Windows would report it on the socket that sent, whichever peer was meant.
    private static void UnreachablePeer_IsNotTold_WithoutAFixedPeer()
    {
        using Handle client = Bound(), server = Bound();
        SocketAddress gone;
        using (Handle closed = Bound())
        {
            gone = closed.LocalEndPoint!.Serialize();
        }

        Check.Equal(SocketError.Success, client.SendTo([1], gone, out _), "send");
        Send(server, client, [2]);

        Check.Equal(
            SocketError.Success, Await(client, () => client.ReceiveFrom(new byte[1], NewAddress(), out _)), "error");
    }

    private static void Send_WithoutAPeer_NeedsAnAddress()
    {
        using Handle client = New();
        Check.Equal(SocketError.DestinationAddressRequired, client.Send([1], out _), "error");
    }

    // Wine's receive takes the error away without a report, so that only Linux shows it: see DatagramFlowTests.
    private static void Sockets_Echo_AndGoOnAfterAnUnreachablePeer()
    {
        using var loop = new Loop();
        (var server, var client) = (new Echo(isServer: true), new Echo(isServer: false));
        var any = new IPEndPoint(IPAddress.Loopback, 0);
        DatagramSocket bound = loop.Call(reactor => reactor.BindDatagram(any, server));
        DatagramSocket connected = loop.Call(reactor => reactor.ConnectDatagram(bound.LocalEndPoint!, client));
        Check.Equal(DatagramSendResult.Sent, loop.Call(_ => connected.TrySend([1, 2])), "send");
        Check.Equal(2, Wait.For(client.Length, "the answer"), "bytes");

        loop.Call(_ => bound.Close());
        for (int i = 0; i < 5; i++)
        {
            Check.Equal(DatagramSendResult.Sent, loop.Call(_ => connected.TrySend([3])), "send to nobody");
        }

        var again = new Echo(isServer: true);
        loop.Call(reactor => reactor.BindDatagram(bound.LocalEndPoint!, again));
        Check.Equal(DatagramSendResult.Sent, loop.Call(_ => connected.TrySend([4, 5, 6])), "send again");
        Check.Equal(3, Wait.For(again.Length, "the datagram"), "bytes");
    }

    private static Handle New() => _handles.CreateDatagram(AddressFamily.InterNetwork);

    private static Handle Bound()
    {
        Handle handle = New();
        Check.Equal(SocketError.Success, handle.Bind(new IPEndPoint(IPAddress.Loopback, 0)), "bind");
        return handle;
    }

    private static SocketAddress NewAddress() => new(AddressFamily.InterNetwork);

    private static void Send(Handle from, Handle to, byte[] bytes)
    {
        SocketError error = from.SendTo(bytes, to.LocalEndPoint!.Serialize(), out int sent);
        Check.Equal(SocketError.Success, error, "send");
        Check.Equal(bytes.Length, sent, "sent");
    }

    /// <summary>Calls until the result is not that there is nothing yet, each time a reactor finds the handle
    /// readable.</summary>
    private static SocketError Await(Handle handle, Func<SocketError> receive)
    {
        using var reactor = new Reactor();
        var reader = new Reader(receive);
        reactor.Register(handle, Interest.Read, reader);
        for (int i = 0; i < 100 && reader.Result == SocketError.WouldBlock; i++)
        {
            reactor.RunOnce(TimeSpan.FromSeconds(10));
        }

        return reader.Result;
    }

    private sealed class Reader(Func<SocketError> receive) : IEventHandler
    {
        public SocketError Result { get; private set; } = SocketError.WouldBlock;

        public void OnReady(SelectionKey key)
        {
            Result = receive();
            if (Result != SocketError.WouldBlock)
            {
                key.Cancel();
            }
        }
    }

    private sealed class Echo(bool isServer) : DatagramHandler
    {
        private readonly TaskCompletionSource<int> _length = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<int> Length => _length.Task;

        public override void OnReceived(DatagramSocket socket, SocketAddress remote, ReadOnlySpan<byte> datagram)
        {
            _length.TrySetResult(datagram.Length);
            if (isServer)
            {
                socket.TrySend(datagram, remote);
            }
        }
    }
}
