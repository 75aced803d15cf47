using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <content>Between the end of the output and that of the peer.</content>
internal sealed partial class StreamConnection
{
    // If not, there is nothing that a reset could take from the peer.
    private bool HasSentAnything() => _bytesSent > 0 || _facts is { BytesSent: > 0 }
        || (_handle.TryMeasureTransport(out long sent, out _) && sent > 0);

    private void BeginLinger() => End.Lingering ??= _reactor.Lingering.Add(this);

    void ILingering.EndLinger(string why)
    {
        try
        {
            CloseInGoodOrder(new IOException(why));
        }
        catch (Exception exception)
        {
            ReactorLog.ClientFault(_reactor.Logger, exception);
            Terminate(CloseKind.Aborted, exception, reset: true);
        }
    }
}
