using System.Net.Sockets;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>Stands in for the connection, and notes what the buffers tell it.</summary>
internal sealed class BufferOwner : IBufferOwner
{
    private readonly Queue<(Action<object?> Callback, object? State)> _deferred = new();

    public bool RefusesAccess { get; set; }

    /// <summary>Whether something was put off and has not run yet.</summary>
    public bool HasDeferred => _deferred.Count > 0;

    public int InputAdvances { get; private set; }

    public int OutputAdvances { get; private set; }

    public List<Exception?> InputCompletions { get; } = [];

    public List<Exception?> OutputCompletions { get; } = [];

    public void VerifyAccess()
    {
        if (RefusesAccess)
        {
            throw new InvalidOperationException("Another thread.");
        }
    }

    public void Defer(Action<object?> callback, object? state)
    {
        lock (_deferred)
        {
            _deferred.Enqueue((callback, state));
        }
    }

    /// <summary>What the loop does later in its tick.</summary>
    public void RunDeferred()
    {
        while (TryTake(out (Action<object?> Callback, object? State) next))
        {
            next.Callback(next.State);
        }
    }

    public void InputAdvanced() => InputAdvances++;

    public void InputCompleted(Exception? error) => InputCompletions.Add(error);

    public void OutputAdvanced() => OutputAdvances++;

    public void OutputCompleted(Exception? error) => OutputCompletions.Add(error);

    private bool TryTake(out (Action<object?> Callback, object? State) next)
    {
        lock (_deferred)
        {
            return _deferred.TryDequeue(out next);
        }
    }
}

/// <summary>A handle that takes as many bytes of a send as it is told, and keeps them.</summary>
internal sealed class SinkHandle : Handle
{
    public List<byte> Sent { get; } = [];

    public int Appetite { get; set; } = int.MaxValue;

    public int LargestGather { get; private set; }

    public override bool IsClosed => false;

    public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
    {
        sent = Math.Min(Appetite, buffer.Length);
        Sent.AddRange(buffer[..sent]);
        return sent == 0 ? SocketError.WouldBlock : SocketError.Success;
    }

    public override SocketError Send(IList<ArraySegment<byte>> buffers, out int sent)
    {
        LargestGather = Math.Max(LargestGather, buffers.Count);
        sent = 0;
        foreach (ArraySegment<byte> buffer in buffers)
        {
            int count = Math.Min(Appetite - sent, buffer.Count);
            Sent.AddRange(buffer.AsSpan(0, count));
            sent += count;
        }

        return sent == 0 ? SocketError.WouldBlock : SocketError.Success;
    }

    public override void Close()
    {
    }
}
