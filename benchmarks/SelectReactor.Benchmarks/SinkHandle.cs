using System.Net.Sockets;

namespace SelectReactor.Benchmarks;

/// <summary>A handle that takes every byte of a send.</summary>
internal sealed class SinkHandle : Handle
{
    public override bool IsClosed => false;

    public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
    {
        sent = buffer.Length;
        return SocketError.Success;
    }

    public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent)
    {
        sent = 0;
        for (int i = 0; i < buffers.Count; i++)
        {
            sent += buffers[i].Count;
        }

        return SocketError.Success;
    }

    public override void Close()
    {
    }
}
