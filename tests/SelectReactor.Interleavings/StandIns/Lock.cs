using SelectReactor.Interleavings.Exploration;

namespace System.Threading;

/// <summary>In place of the framework's, under its name, since the <c>lock</c> statement knows it by that.</summary>
internal sealed class Lock
{
    private readonly Func<bool> _isFree;
    private bool _isHeld;

    public Lock() => _isFree = () => !_isHeld;

    public Scope EnterScope()
    {
        Worker.Pause("enters the lock", _isFree);
        Interlock();
        _isHeld = true;
        return new Scope(this);
    }

    private static void Interlock()
    {
        if (Worker.Current is { } self)
        {
            self.Explorer.Buffers.DrainAll(self);
        }
    }

    public readonly ref struct Scope(Lock gate)
    {
        public void Dispose()
        {
            Worker.Pause("leaves the lock");
            Interlock();
            gate._isHeld = false;
        }
    }
}
