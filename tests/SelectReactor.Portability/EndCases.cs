using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Portability;

/// <summary>How connections end.</summary>
internal static class EndCases
{
    private const int Bytes = 200_000;

    public static Action[] All { get; } =
    [
        Reset_ByThePeer, Reset_FoundBySending, Abort_ResetsThePeer, HalfClose_ByThePeer, HalfClose_ByUs,
        Close_WithUnreadInput_DeliversAll, HandlerThatThrows_LosesItsConnectionOnly,
        SocketClosedBehindTheLoop_IsEvicted,
        SocketClosedByAnotherThread_IsEvicted, DescriptorClosedUnderneath_IsEvicted,
    ];

    private static void Reset_ByThePeer()
    {
        var handler = new Recorder();
        using var loop = new Loop(handler);
        using Peer peer = loop.Connect();
        peer.Echoes("hi"u8);
        peer.Reset();

        CloseKind expected = Resets.AreReported ? CloseKind.PeerReset : CloseKind.PeerClosed;
        Check.Equal(expected, handler.CloseReason.Kind, "the reason");
    }

    // While reading is paused, only sending can find the reset.
    private static void Reset_FoundBySending()
    {
        var handler = new Recorder { Connected = static connection => connection.PauseReading() };
        using var loop = new Loop(handler);
        using Peer peer = loop.Connect();
        Connection connection = handler.Connection;
        peer.Reset();
        var period = TimeSpan.FromMilliseconds(5);
        loop.Call(reactor => reactor.SchedulePeriodic(period, period, () => connection.TryWrite("x"u8)));

        Check.Equal(CloseKind.PeerReset, handler.CloseReason.Kind, "the reason");
    }

    private static void Abort_ResetsThePeer()
    {
        using var loop = new Loop(new Recorder { Readable = static connection => connection.Abort() });
        using Peer peer = loop.Connect();
        peer.Send("hi"u8);

        peer.Socket.Receive(new byte[1], SocketFlags.None, out SocketError error);
        Check.That(error == SocketError.ConnectionReset || !Resets.AreReported, $"a reset, not {error}");
    }

    private static void HalfClose_ByThePeer()
    {
        byte[] answer = Payload.Pattern(Bytes);
        var handler = new Recorder
        {
            InputEnded = connection =>
            {
                connection.Output.Write(answer);
                connection.Close();
            },
        };
        using var loop = new Loop(handler);
        using Peer peer = loop.Connect();
        peer.EndOutput();

        Check.SameBytes(answer, peer.ReceiveToEnd());
        peer.Dispose();
        Check.Equal(0, handler.CloseReason.UnsentBytes, "unsent bytes");
    }

    private static void HalfClose_ByUs()
    {
        var received = new List<byte>();
        var handler = new Recorder
        {
            Connected = static connection =>
            {
                connection.Output.Write("bye"u8);
                connection.CloseOutput();
            },
            Readable = connection => received.AddRange(Recorder.ReadAll(connection)),
        };
        using var loop = new Loop(handler);
        using Peer peer = loop.Connect();
        Check.SameBytes("bye"u8, peer.ReceiveToEnd());
        byte[] bytes = Payload.Pattern(Bytes);
        peer.Send(bytes);
        peer.EndOutput();

        Check.Equal(CloseKind.PeerClosed, handler.CloseReason.Kind, "the reason");
        Check.SameBytes(bytes, received.ToArray());
    }

    // Closing a socket with unread input resets the connection, and the peer would lose our last bytes.
    private static void Close_WithUnreadInput_DeliversAll()
    {
        byte[] bytes = Payload.Pattern(Bytes);
        using var loop = new Loop(new Recorder
        {
            Readable = connection =>
            {
                connection.Output.Write(bytes);
                connection.Close();
            },
        });
        using Peer peer = loop.Connect();
        peer.Send("first"u8);
        peer.Send("more, which nobody reads"u8);

        Check.SameBytes(bytes, peer.ReceiveToEnd());
    }

    private static void HandlerThatThrows_LosesItsConnectionOnly()
    {
        var handler = new Recorder
        {
            Readable = static connection =>
            {
                byte[] bytes = Recorder.ReadAll(connection);
                Check.That(bytes is not [0], "no zero");
                connection.Output.Write(bytes);
            },
        };
        using var loop = new Loop(handler);
        using Peer bad = loop.Connect();
        Check.That(handler.Connection.Id >= 0, "a connection");
        using Peer good = loop.Connect();
        bad.Send([0]);

        Check.Equal(CloseKind.HandlerFault, handler.CloseReason.Kind, "the reason");
        good.Echoes("still served"u8);
    }

    private static void SocketClosedBehindTheLoop_IsEvicted()
    {
        var handler = new Recorder();
        using var loop = new Loop(new Recorder());
        using Peer other = loop.Connect();
        (Socket socket, Peer peer) = Adopt(loop, handler);
        using (peer)
        {
            loop.Call(_ => socket.Dispose());

            Check.That(handler.CloseReason.Kind != CloseKind.None, "a closed connection");
            other.Echoes("still served"u8);
        }
    }

    // On Windows this Dispose waits until the select that uses the socket has returned.
    private static void SocketClosedByAnotherThread_IsEvicted()
    {
        var handler = new Recorder();
        using var loop = new Loop(new Recorder());
        using Peer other = loop.Connect();
        (Socket socket, Peer peer) = Adopt(loop, handler);
        using (peer)
        {
            var closing = new Thread(socket.Dispose) { IsBackground = true };
            closing.Start();
            while (closing.IsAlive)
            {
                loop.Call(static _ => { });
            }

            Check.That(handler.CloseReason.Kind != CloseKind.None, "a closed connection");
            other.Echoes("still served"u8);
        }
    }

    // As native code does that closes the descriptor and leaves the Socket open.
    private static void DescriptorClosedUnderneath_IsEvicted()
    {
        var handler = new Recorder();
        using var loop = new Loop(new Recorder());
        using Peer other = loop.Connect();
        (Socket socket, Peer peer) = Adopt(loop, handler);
        using (peer)
        {
            loop.Call(_ => new SafeSocketHandle(socket.Handle, ownsHandle: true).Dispose());

            Check.That(handler.CloseReason.Kind != CloseKind.None, "a closed connection");
            other.Echoes("still served"u8);
        }
    }

    private static (Socket Socket, Peer Peer) Adopt(Loop loop, Recorder handler)
    {
        using Socket listener = Peer.Listen();
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect((IPEndPoint)listener.LocalEndPoint!);
        var peer = Peer.Accept(listener);
        loop.Call(reactor => reactor.Adopt(socket, handler, new ConnectionOptions()));
        peer.Echoes("adopted"u8);
        return (socket, peer);
    }
}
