namespace SelectReactor.Tls;

/// <summary>Lets so many handshakes of a listener compute at the same time; the others wait for their turn, in order.
/// One that waits for its peer computes nothing and is not counted. The reactor's thread only.</summary>
internal sealed class HandshakeGate(int max)
{
    private readonly Queue<TlsHandshake> _waiting = [];
    private int _running;

    /// <returns>Whether the handshake may compute now. If not, <see cref="TlsHandshake.Enter"/> follows, unless it
    /// has ended.</returns>
    public bool TryEnter(TlsHandshake handshake)
    {
        if (_running == max)
        {
            _waiting.Enqueue(handshake);
            return false;
        }

        _running++;
        return true;
    }

    public void Exit()
    {
        _running--;
        while (_running < max && _waiting.TryDequeue(out TlsHandshake? next))
        {
            if (next.IsWaitingToEnter)
            {
                _running++;
                next.Enter();
            }
        }
    }
}
