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

    public void Add(SelectionKey key) => inner.Add(key);

    public void Update(SelectionKey key, Interest previous) => inner.Update(key, previous);

    public void Remove(SelectionKey key) => inner.Remove(key);

    public void Select(TimeSpan wait, List<SelectionKey> ready)
    {
        SelectionKey[] before = [.. ready];
        inner.Select(wait, ready);
        Require(ready.Distinct().Count() == ready.Count, "A key is reported twice.");
        Require(
            Array.TrueForAll(before, key => key.Ready == Interest.None || ready.Contains(key)),
            "A key is ready that is not reported.");
        foreach (SelectionKey key in ready)
        {
            Require(key.IsValid, "A key is reported that is cancelled.");
            var handle = (SocketHandle)key.Handle;
            if (key.IsEvicted)
            {
                Require(handle.IsClosed, "A key is evicted whose socket is open.");
            }
            else
            {
                Require(key.Ready != Interest.None, "A key is reported for nothing.");
                Require((key.Ready & ~key.Interest) == 0, "More is reported than was asked for.");
                Require((key.Ready & ~Poll(handle, key.Ready)) == 0, "A key is reported whose socket is not ready.");
            }
        }
    }

    public void Wake() => inner.Wake();

    public void Dispose() => inner.Dispose();
}
