using System.Net;

namespace SelectReactor.Testing.Network;

/// <summary>The receive buffer of a datagram handle: the datagrams that its program has not received yet.</summary>
internal sealed class DatagramQueue(int capacity)
{
    /// <summary>What a datagram takes besides its bytes, so that empty ones fill the buffer too.</summary>
    private const int Overhead = 256;

    private readonly Queue<(IPEndPoint From, byte[] Bytes)> _datagrams = new();
    private int _used;

    /// <summary>SO_RCVBUF.</summary>
    public int Capacity { get; set; } = capacity;

    public bool IsEmpty => _datagrams.Count == 0;

    /// <summary>Adds a datagram. As in the kernel, the last one may exceed the capacity.</summary>
    /// <returns>False if the buffer is full.</returns>
    public bool TryAdd(IPEndPoint from, byte[] bytes)
    {
        if (_used >= Capacity && !IsEmpty)
        {
            return false;
        }

        _used += bytes.Length + Overhead;
        _datagrams.Enqueue((from, bytes));
        return true;
    }

    public (IPEndPoint From, byte[] Bytes) Take()
    {
        (IPEndPoint From, byte[] Bytes) first = _datagrams.Dequeue();
        _used -= first.Bytes.Length + Overhead;
        return first;
    }

    public void Clear()
    {
        _datagrams.Clear();
        _used = 0;
    }
}
