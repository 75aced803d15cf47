namespace SelectReactor.Dispatch;

/// <summary>
/// A number of places that several reactors share: one for each connection. The limit holds exactly.
/// <see cref="Places"/> notes what one reactor has taken. Any thread.
/// </summary>
/// <param name="capacity">The number of places.</param>
/// <param name="roomMade">Called when a place is given back while all were taken, on the thread that gives it
/// back.</param>
internal sealed class SharedLimit(int capacity, Action roomMade)
{
    private int _taken;

    public int Capacity => capacity;

    public int Taken => Volatile.Read(ref _taken);

    public bool IsFull => Taken >= capacity;

    /// <summary>Takes a place unless all are taken.</summary>
    public bool TryTake()
    {
        for (int taken = Taken; taken < capacity;)
        {
            int before = Interlocked.CompareExchange(ref _taken, taken + 1, taken);
            if (before == taken)
            {
                return true;
            }

            taken = before;
        }

        return false;
    }

    public void GiveBack()
    {
        if (Interlocked.Decrement(ref _taken) == capacity - 1)
        {
            roomMade();
        }
    }
}
