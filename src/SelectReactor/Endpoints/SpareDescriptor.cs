using System.Net.Sockets;

namespace SelectReactor.Endpoints;

/// <summary>
/// A descriptor that a listener keeps open and does not use. When the process has no other descriptor left, the
/// listener closes it, so that it can accept and reset the clients that wait: they learn at once that they are not
/// served.
/// </summary>
internal sealed class SpareDescriptor(IHandleFactory handles, AddressFamily family)
{
    private Handle? _handle;

    public bool IsHeld => _handle is not null;

    /// <summary>Opens the descriptor unless it is open.</summary>
    /// <returns>False if the system has none to give.</returns>
    public bool TryHold()
    {
        try
        {
            _handle ??= handles.CreateSpare(family);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    public void Release()
    {
        _handle?.Close();
        _handle = null;
    }
}
