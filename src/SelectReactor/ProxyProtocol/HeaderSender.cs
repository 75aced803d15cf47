using System.Buffers;
using System.Net.Sockets;
using SelectReactor.Connections;

namespace SelectReactor.ProxyProtocol;

/// <summary>Sends a PROXY header at the start of an outgoing connection.</summary>
internal sealed class HeaderSender(ProxyHeader header) : OpeningStep
{
    private readonly ArrayBufferWriter<byte> _header = new();
    private int _sent;

    public override string Name => "PROXY header";

    /// <summary>That of the whole attempt counts.</summary>
    public override TimeSpan TimeLimit => Timeout.InfiniteTimeSpan;

    public override void Begin()
    {
        header.WriteTo(_header);
        Send();
    }

    public override void OnReady(Interest ready) => Send();

    private void Send()
    {
        SocketError error = Sequence.Opened.Handle.Send(_header.WrittenSpan[_sent..], out int sent);
        if (error is not (SocketError.Success or SocketError.WouldBlock))
        {
            string reason = new SocketException((int)error).Message;
            Sequence.Fail(new SocketException(
                (int)error, $"{Sequence.Prefix}the PROXY header can't be sent: {reason}"));
            return;
        }

        _sent += sent;
        if (_sent < _header.WrittenCount)
        {
            Sequence.Interest = Interest.Write;
            return;
        }

        Sequence.Facts.BytesSent += _sent;
        Sequence.Complete(Sequence.Opened);
    }
}
