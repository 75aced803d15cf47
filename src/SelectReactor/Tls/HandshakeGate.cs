namespace SelectReactor.Tls;

/// <summary>Lets so many handshakes of a listener compute at the same time; the others wait for their turn, in order.
/// One that waits for its peer computes nothing and is not counted. The reactor's thread only.</summary>
internal sealed class HandshakeGate(int max)
{
    private readonly LinkedList<TlsHandshake> _waiting = [];
    private int _running;

    /// <summary>The number of handshakes that wait.</summary>
    public int Waiting => _waiting.Count;

    /// <returns>Whether the handshake may compute now, until <see cref="Exit"/>. If not,
    /// <see cref="TlsHandshake.Enter"/> follows, unless <see cref="Leave"/> comes first.</returns>
    public bool TryEnter(LinkedListNode<TlsHandshake> handshake)
    {
        if (_running == max)
        {
            _waiting.AddLast(handshake);
            return false;
        }

        _running++;
        return true;
    }

    /// <summary>A handshake that waits has ended.</summary>
    public void Leave(LinkedListNode<TlsHandshake> handshake) => _waiting.Remove(handshake);

    /// <summary>A handshake computes no longer.</summary>
    public void Exit()
    {
        _running--;
        while (_running < max && _waiting.First is { } next)
        {
            _waiting.RemoveFirst();
            _running++;
            next.Value.Enter();
        }
    }
}
