namespace SelectReactor.Dispatch;

/// <summary>
/// The places of a <see cref="SharedLimit"/> that one reactor has taken. A place that is not used for a moment,
/// between two steps of making a connection, stays taken until <see cref="KeepOnly"/>. For the reactor's thread only.
/// </summary>
internal sealed class Places(SharedLimit limit)
{
    private int _taken;

    /// <summary>The number of places of the limit.</summary>
    public int Capacity => limit.Capacity;

    /// <summary>Whether there is no place for one more than are used.</summary>
    public bool IsFullAt(int used) => _taken <= used && limit.IsFull;

    /// <summary>Sees to it that there is a place for one more than are used.</summary>
    /// <returns>False if the limit has none.</returns>
    public bool TryReserve(int used)
    {
        if (_taken <= used)
        {
            if (!limit.TryTake())
            {
                return false;
            }

            _taken++;
        }

        return true;
    }

    /// <summary>Gives a reserved place to another reactor, which calls <see cref="Grant"/>.</summary>
    public void Pass() => _taken--;

    /// <summary>Takes over a place from another reactor.</summary>
    public void Grant() => _taken++;

    /// <summary>Whether so many places are taken.</summary>
    public bool Cover(int count) => _taken >= count;

    /// <summary>Gives back all places but so many.</summary>
    public void KeepOnly(int count)
    {
        for (; _taken > count; _taken--)
        {
            limit.GiveBack();
        }
    }
}
