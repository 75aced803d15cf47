using System.Net;
using System.Net.Sockets;
using SelectReactor.Testing;

namespace SelectReactor.Soak;

/// <summary>A peer that is no reactor, and so keeps to no rule but those of the system. Nothing happens by itself: it
/// must be closed or aborted.</summary>
internal sealed class RawPeer
{
    private readonly SimulatedHost _host;
    private readonly Handle _handle;

    /// <summary>Begins to connect.</summary>
    public RawPeer(SimulatedHost host, EndPoint remoteEndPoint, int? receiveBufferBytes = null)
    {
        _host = host;
        _handle = host.Handles.CreateStream(remoteEndPoint.AddressFamily);
        if (receiveBufferBytes is { } bytes)
        {
            _handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer, bytes);
        }

        Require.Equal(_handle.Connect(remoteEndPoint), SocketError.WouldBlock);
    }

    /// <summary>What it has received.</summary>
    public List<byte> Received { get; } = [];

    /// <summary>Whether the end of the stream was received.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Whether it was cut.</summary>
    public bool IsReset { get; private set; }

    /// <summary>One that connects, sends, and waits until the server has it.</summary>
    public static RawPeer Connect(
        SimulatedNetwork network, SimulatedHost host, EndPoint remoteEndPoint, Recorder served)
    {
        int before = served.Connections;
        var peer = new RawPeer(host, remoteEndPoint);
        network.RunUntil(() => served.Connections == before + 1);
        return peer;
    }

    /// <returns>How many bytes the system took.</returns>
    public int Send(ReadOnlySpan<byte> bytes)
    {
        Note(_handle.Send(bytes, out int sent));
        return sent;
    }

    /// <summary>Takes what is there, as far as it is wanted.</summary>
    public void Receive(int max = 1024)
    {
        Span<byte> buffer = stackalloc byte[Math.Min(max, 1024)];
        while (max > 0 && !IsEnded && !IsReset)
        {
            SocketError error = _handle.Receive(buffer[..Math.Min(buffer.Length, max)], out int received);
            Note(error);
            if (error != SocketError.Success)
            {
                return;
            }

            IsEnded = received == 0;
            Received.AddRange(buffer[..received]);
            max -= received;
        }
    }

    public void EndOutput() => _handle.Shutdown(SocketShutdown.Send);

    public void Close() => _handle.Close();

    public void Abort() => _handle.Abort();

    public override string ToString() => $"a peer on {_host.Name}";

    private void Note(SocketError error) => IsReset |= error is SocketError.ConnectionReset or SocketError.Shutdown;
}
