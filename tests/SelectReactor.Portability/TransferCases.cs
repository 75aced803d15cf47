using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;

namespace SelectReactor.Portability;

/// <summary>Moving bytes, on one connection and on many.</summary>
internal static class TransferCases
{
    private const int ManyClients = 1000;

    public static Action[] All { get; } =
    [
        Echo_OfMessagesOfManySizes, Echo_ForAThousandClients, Echo_ByAnAsyncHandler, Output_ReachesASlowReader,
        Input_WaitsWhileReadingIsPaused, OutOfBandByte_IsIgnored,
    ];

    private static void Echo_OfMessagesOfManySizes()
    {
        using var loop = new Loop(new Recorder());
        using Peer peer = loop.Connect();
        for (int size = 1; size <= 64 * 1024; size *= 2)
        {
            peer.Echoes(Payload.Pattern(size));
        }
    }

    // More than the 64 sockets that a plain FD_SET of Windows holds, and more than the hot set.
    private static void Echo_ForAThousandClients()
    {
        using var loop = new Loop(new Recorder());
        var peers = new List<Peer>();
        try
        {
            for (int i = 0; i < ManyClients; i++)
            {
                peers.Add(loop.Connect());
            }

            for (int round = 0; round < 2; round++)
            {
                peers.ForEach(static peer => peer.Send("ping"u8));
                peers.ForEach(static peer => Check.SameBytes("ping"u8, peer.Receive(4)));
            }

            loop.Call(static reactor => Check.Equal(ManyClients, reactor.Connections.Count, "connections"));
        }
        finally
        {
            peers.ForEach(static peer => peer.Dispose());
        }
    }

    private static void Echo_ByAnAsyncHandler()
    {
        using var loop = new Loop(new AsyncEcho());
        using Peer peer = loop.Connect();
        peer.Echoes(Payload.Pattern(100_000));
        peer.EndOutput();

        Check.Equal(0, peer.ReceiveToEnd().Length, "further bytes");
    }

    private static void Output_ReachesASlowReader()
    {
        byte[] bytes = Payload.Pattern(15 * 1024 * 1024);
        var handler = new Recorder { Connected = connection => connection.Output.Write(bytes) };
        using var loop = new Loop(handler);
        using Peer peer = loop.Connect();

        // More than the buffers of both sides hold: the rest waits until the socket is writable.
        Connection connection = handler.Connection;
        loop.Call(_ => Check.That(connection.QueuedOutputBytes > 0, "output that has to wait"));
        Check.SameBytes(bytes, peer.Receive(bytes.Length));
        peer.Echoes("still open"u8);
    }

    private static void Input_WaitsWhileReadingIsPaused()
    {
        var handler = new Recorder { Connected = static connection => connection.PauseReading() };
        using var loop = new Loop(handler);
        using Peer peer = loop.Connect();
        peer.Send("waits"u8);
        Connection connection = handler.Connection;
        loop.Call(_ => connection.ResumeReading());

        Check.SameBytes("waits"u8, peer.Receive(5));
    }

    private static void OutOfBandByte_IsIgnored()
    {
        using var loop = new Loop(new Recorder());
        using Peer peer = loop.Connect();
        peer.Socket.Send([1], SocketFlags.OutOfBand);

        peer.Echoes("in band"u8);
    }

    private sealed class AsyncEcho : AsyncConnectionHandler
    {
        protected override async Task ServeAsync(Connection connection, CancellationToken closed)
        {
            bool ended = false;
            while (!ended)
            {
                ReadResult result = await connection.Input.ReadAsync();
                foreach (ReadOnlyMemory<byte> segment in result.Buffer)
                {
                    await connection.Output.WriteAsync(segment);
                }

                connection.Input.AdvanceTo(result.Buffer.End);
                ended = result.IsCompleted;
            }
        }
    }
}
