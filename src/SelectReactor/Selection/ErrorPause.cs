using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace SelectReactor.Selection;

/// <summary>
/// What a selector does not watch for a short time, because again and again the system had nothing to tell of it but
/// an error, and no call took the error away. An error queue that nobody reads is the usual cause (IP_RECVERR of
/// ip(7), SO_TIMESTAMPING): the system reports it whatever the socket is watched for, so that each wait would end at
/// once.
/// </summary>
internal sealed class ErrorPause<T>
    where T : class
{
    /// <summary>So often in a row an error alone is not one that the next call takes away.</summary>
    public const int MaxInARow = 64;

    /// <summary>Short, since bytes may come all the same.</summary>
    private static readonly TimeSpan _time = TimeSpan.FromMilliseconds(10);

    private readonly HashSet<T> _paused = [];

    /// <summary>In the order of their ends; those that were removed are among them.</summary>
    private readonly Queue<(T Item, long Start)> _ends = new();

    public bool IsEmpty => _ends.Count == 0;

    public void Add(T item)
    {
        _paused.Add(item);
        _ends.Enqueue((item, Stopwatch.GetTimestamp()));
    }

    public bool Contains(T item) => _paused.Count > 0 && _paused.Contains(item);

    /// <summary>Forgets one.</summary>
    public void Remove(T item) => _paused.Remove(item);

    /// <summary>The part of a wait after which the next pause ends.</summary>
    public TimeSpan Limit(TimeSpan wait)
    {
        if (IsEmpty)
        {
            return wait;
        }

        TimeSpan left = _time - Stopwatch.GetElapsedTime(_ends.Peek().Start);
        left = left < TimeSpan.Zero ? TimeSpan.Zero : left;
        return wait < TimeSpan.Zero || left < wait ? left : wait;
    }

    /// <summary>Takes one whose pause is over.</summary>
    public bool TryTakeDue([NotNullWhen(true)] out T? item)
    {
        while (_ends.TryPeek(out (T Item, long Start) next) && Stopwatch.GetElapsedTime(next.Start) >= _time)
        {
            _ends.Dequeue();
            if (_paused.Remove(next.Item))
            {
                item = next.Item;
                return true;
            }
        }

        item = null;
        return false;
    }
}
