using System.Net.Sockets;

namespace SelectReactor.Tests.Selection;

/// <summary>Passes everything on to a selector, and throws when that reports what is not so.</summary>
internal sealed class SoundSelector(SelectSelector inner) : ISelector
{
    /// <summary>The part of an interest that a socket is ready for now.</summary>
    public static Interest Poll(SocketHandle handle, Interest interest)
    {
        Interest ready = Interest.None;
        if ((interest & Interest.Read) != 0 && handle.Socket.Poll(0, SelectMode.SelectRead))
        {
            ready |= Interest.Read;
        }

        if ((interest & (Interest.Write | Interest.Connect)) != 0 && handle.Socket.Poll(0, SelectMode.SelectWrite))
        {
            ready |= interest & (Interest.Write | Interest.Connect);
        }

        return ready;
    }

    // Not an assertion of NUnit, which would note each failure on the way to the smallest.
    public static void Require(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new InvalidOperationException(otherwise);
        }
    }

    public void Add(SelectorEntry entry) => inner.Add(entry);

    public void Update(SelectorEntry entry, Interest previous) => inner.Update(entry, previous);

    public void Remove(SelectorEntry entry) => inner.Remove(entry);

    public void Select(TimeSpan wait, List<SelectorEntry> ready)
    {
        Require(ready.Count == 0, "The list is not empty.");
        inner.Select(wait, ready);
        Require(ready.Distinct().Count() == ready.Count, "An entry is reported twice.");
        foreach (SelectorEntry entry in ready)
        {
            Require(entry.Key!.IsValid, "An entry is reported whose key is cancelled.");
            var handle = (SocketHandle)entry.Handle;
            if (entry.IsEvicted)
            {
                Require(handle.IsClosed, "An entry is evicted whose socket is open.");
            }
            else
            {
                Require(entry.Ready != Interest.None, "An entry is reported for nothing.");
                Require((entry.Ready & ~entry.Interest) == 0, "More is reported than was asked for.");
                Require(
                    (entry.Ready & ~Poll(handle, entry.Ready)) == 0,
                    "An entry is reported whose socket is not ready.");
            }
        }
    }

    public void Wake() => inner.Wake();

    public void Dispose() => inner.Dispose();
}
