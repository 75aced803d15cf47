using System.Net.Sockets;
using SelectReactor.Interleavings.Exploration;

namespace SelectReactor.Selection;

/// <summary>In place of the two connected sockets: the number of bytes that are under way between them.</summary>
internal sealed class LoopbackPair : IDisposable
{
    private static readonly Socket _unused = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private int _bytes;
    private bool _isDisposed;

    public LoopbackPair() => IsReadable = () => _bytes > 0 || _isDisposed;

    public Socket Reader { get; } = _unused;

    public Socket Writer { get; } = _unused;

    public Func<bool> IsReadable { get; }

    public bool IsBroken { get; }

    public void Signal()
    {
        Worker.Pause("sends a signal");
        _bytes++;
        Worker.Pause("has sent a signal");
    }

    public bool TryDrain()
    {
        Worker.Pause("drains the signals");
        Scenario.Require(!_isDisposed, "The selector is used after its end.");
        _bytes = 0;
        return true;
    }

    public void Dispose()
    {
        Worker.Pause("disposes the selector");
        Scenario.Require(!_isDisposed, "The selector is disposed twice.");
        _isDisposed = true;
    }
}
