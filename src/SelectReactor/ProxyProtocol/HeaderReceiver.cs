using System.Buffers;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Connections;
using SelectReactor.Selection;

namespace SelectReactor.ProxyProtocol;

/// <summary>
/// Reads the PROXY header at the start of an accepted connection. The end points of the connection become those of the
/// client, and then the client has to be admitted.
/// </summary>
/// <param name="options">What is accepted.</param>
/// <param name="isAllowed">Whether a client with this address is admitted.</param>
internal sealed class HeaderReceiver(ProxyProtocolOptions options, Func<EndPoint?, bool> isAllowed) : OpeningStep
{
    /// <summary>Room for any addresses and, as a rule, for all.</summary>
    private const int FirstBytes = 256;

    private readonly ProxyHeaderDecoder _decoder = new(options.MaxHeaderBytes)
    {
        Version = options.Version,
        RequiresChecksum = options.RequiresChecksum,
    };

    private byte[] _buffer = [];
    private int _received;

    public override string Name => "PROXY header";

    public override TimeSpan TimeLimit => options.Timeout;

    public override void Begin() => Sequence.Interest = Interest.Read;

    public override void OnReady(Interest ready)
    {
        if (_buffer.Length == 0)
        {
            _buffer = new byte[FirstBytes];
        }

        SocketError error = Sequence.Opened.Handle.Receive(_buffer.AsSpan(_received), out int received);
        if (error == SocketError.WouldBlock)
        {
            return;
        }

        if (error != SocketError.Success)
        {
            Sequence.Fail(new SocketException((int)error));
        }
        else if (received == 0)
        {
            Sequence.Fail(new EndOfStreamException(_received == 0
                ? "The peer has ended its stream without a PROXY header."
                : $"The peer has ended its stream inside a PROXY header, of which {_received} bytes have arrived."));
        }
        else
        {
            _received += received;
            Sequence.NoteProgress();
            Decode();
        }
    }

    private void Decode()
    {
        DecodeResult<ProxyHeader> result = _decoder.Decode(
            new ReadOnlySequence<byte>(_buffer, 0, _received), examined: 0);
        switch (result.Status)
        {
            case DecodeStatus.NeedMore:
                // The decoder has compared it with the limit.
                Array.Resize(ref _buffer, Math.Max(_buffer.Length, (int)result.Needed));
                break;
            case DecodeStatus.Message:
                Complete(result.Message, (int)result.Consumed);
                break;
            default:
                Sequence.Fail(new InvalidDataException(result.Reason));
                break;
        }
    }

    private void Complete(ProxyHeader header, int length)
    {
        Opened opened = Sequence.Opened;
        Sequence.Facts.AddFeature<IProxyProtocolFeature>(
            new ProxyProtocolFeature(header, opened.RemoteEndPoint, opened.LocalEndPoint));
        Opened next = Sequence.Opened with { Received = _buffer.AsMemory(length, _received - length) };
        if (header.Source is { } source && header.Destination is { } destination)
        {
            next = next with
            {
                RemoteEndPoint = AddressBlock.Copy(source),
                LocalEndPoint = AddressBlock.Copy(destination),
            };
        }

        if (isAllowed(next.RemoteEndPoint))
        {
            Sequence.Complete(next);
        }
        else
        {
            Sequence.Fail(new InvalidOperationException(
                $"The filter does not allow {EndPointText.Of(next.RemoteEndPoint)}, for whom it is a proxy."));
        }
    }
}
