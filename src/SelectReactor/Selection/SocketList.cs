using System.Collections;
using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>
/// The sockets of one <c>Socket.Select</c> list, together with their entries. <c>Socket.Select</c> removes the
/// sockets that are not ready with one <see cref="RemoveAt"/> each, backwards on Unix and forwards on Windows. It
/// works on a view, which is a gap buffer of positions: the gap follows the removals, and only the few ready
/// positions are moved across it, so that a removal is O(1) in both directions. <see cref="Rewind(int, int)"/> makes
/// the view whole again at the cost of those few. The members are kept in two parts, hot before cold, so that the
/// view can also be opened on the hot ones alone.
/// </summary>
internal sealed class SocketList(bool forWriting) : IList
{
    private const int InitialCapacity = 16;
    private Socket[] _sockets = new Socket[InitialCapacity];
    private WatchedSocket?[] _watched = new WatchedSocket?[InitialCapacity];
    private int _members;
    private int _hot;
    private int _cursor;

    /// <summary>The view's positions in order, counted from <see cref="_first"/>, with the gap between them. Outside
    /// the moved range each is its own index.</summary>
    private int[] _view = Identity(InitialCapacity);
    private int _first;
    private int _viewLength;
    private int _gapStart;
    private int _gapEnd;
    private int _movedStart;
    private int _movedEnd;

    /// <summary>How many sockets there are, in view or not.</summary>
    public int Members => _members;

    /// <summary>How many of them are hot.</summary>
    public int Hot => _hot;

    /// <summary>Where the next slice begins: the cold members before it have been looked at in this round.</summary>
    public int Cursor => _cursor;

    /// <summary>How many are in view: those that <see cref="Rewind(int, int)"/> brought in, less those that a select
    /// removed.</summary>
    public int Count => _viewLength - (_gapEnd - _gapStart);

    object? IList.this[int index]
    {
        get => _sockets[PositionAt(index)];
        set => throw new NotSupportedException();
    }

    bool IList.IsFixedSize => false;

    bool IList.IsReadOnly => false;

    bool ICollection.IsSynchronized => false;

    object ICollection.SyncRoot => this;

    /// <summary>The socket at an index of the view; null for the wake-up socket, which has no entry.</summary>
    public WatchedSocket? InView(int index) => _watched[PositionAt(index)];

    /// <summary>A member, the hot ones first; null for the wake-up socket, which has no entry.</summary>
    public WatchedSocket? MemberAt(int position) => _watched[position];

    /// <summary>Adds a hot member: a new socket is likely to be ready soon.</summary>
    public void Add(Socket socket, WatchedSocket? watched)
    {
        if (_members == _sockets.Length)
        {
            Array.Resize(ref _sockets, _members * 2);
            Array.Resize(ref _watched, _members * 2);
            _view = Identity(_members * 2);
            _movedStart = _movedEnd = 0;
        }

        // The first of each part moves to its end, so that those that wait to be looked at still do.
        int last = _members++;
        MoveMember(_cursor, last);
        MoveMember(_hot, _cursor++);
        Place(socket, watched, _hot++);
    }

    public void Remove(WatchedSocket watched)
    {
        int position = IndexOf(watched);
        if (position < _hot)
        {
            MoveMember(--_hot, position);
            position = _hot;
        }

        if (position < _cursor)
        {
            MoveMember(--_cursor, position);
            position = _cursor;
        }

        int last = --_members;
        MoveMember(last, position);
        _sockets[last] = null!;
        _watched[last] = null;
        SetIndex(watched, -1);
    }

    /// <summary>Moves a cold member to the hot ones; a hot one stays.</summary>
    public void MakeHot(WatchedSocket watched)
    {
        int position = IndexOf(watched);
        if (position >= _hot)
        {
            Swap(position, _hot++);
            _cursor = Math.Max(_cursor, _hot);
        }
    }

    /// <summary>Moves the hot member at a position to the cold ones; the last of the hot ones takes its
    /// place.</summary>
    public void MakeCold(int position) => Swap(position, --_hot);

    /// <summary>Puts another socket in the place of a member that has no entry.</summary>
    public void Replace(int position, Socket socket) => _sockets[position] = socket;

    /// <summary>Begins a round if none is under way.</summary>
    /// <returns>The size of the next slice: those of a round are about equal.</returns>
    public int BeginSlice(int maxSize)
    {
        if (_cursor == _members)
        {
            _cursor = _hot;
        }

        int rest = _members - _cursor;
        return rest == 0 ? 0 : DivideUp(rest, DivideUp(rest, maxSize));
    }

    /// <summary>Those of the slice have been looked at.</summary>
    public void EndSlice(int size) => _cursor += size;

    /// <summary>Brings all members into view.</summary>
    public void Rewind() => Rewind(0, _members);

    /// <summary>Brings some members into view that follow each other.</summary>
    public void Rewind(int first, int count)
    {
        for (int i = _movedStart; i < _movedEnd; i++)
        {
            _view[i] = i;
        }

        _first = first;
        _viewLength = count;
        _gapStart = _gapEnd = _viewLength;
        _movedStart = _viewLength;
        _movedEnd = 0;
    }

    public void Clear()
    {
        _gapStart = 0;
        _gapEnd = _viewLength;
    }

    public void RemoveAt(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        if (_gapStart == _gapEnd)
        {
            // An empty gap can be placed anywhere at no cost.
            _gapStart = _gapEnd = index;
        }

        while (_gapStart > index + 1)
        {
            Move(--_gapStart, --_gapEnd);
        }

        while (_gapStart < index)
        {
            Move(_gapEnd++, _gapStart++);
        }

        if (_gapStart == index)
        {
            _gapEnd++;
        }
        else
        {
            _gapStart--;
        }
    }

    int IList.Add(object? value) => throw new NotSupportedException();

    bool IList.Contains(object? value) => throw new NotSupportedException();

    int IList.IndexOf(object? value) => throw new NotSupportedException();

    void IList.Insert(int index, object? value) => throw new NotSupportedException();

    void IList.Remove(object? value) => throw new NotSupportedException();

    void ICollection.CopyTo(Array array, int index) => throw new NotSupportedException();

    IEnumerator IEnumerable.GetEnumerator() => throw new NotSupportedException();

    private static int[] Identity(int length)
    {
        int[] positions = new int[length];
        for (int i = 0; i < length; i++)
        {
            positions[i] = i;
        }

        return positions;
    }

    private static int DivideUp(int number, int divisor) => (number + divisor - 1) / divisor;

    private int PositionAt(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return _first + _view[index < _gapStart ? index : index + (_gapEnd - _gapStart)];
    }

    private void Move(int from, int to)
    {
        _view[to] = _view[from];
        _movedStart = Math.Min(_movedStart, to);
        _movedEnd = Math.Max(_movedEnd, to + 1);
    }

    private void MoveMember(int from, int to)
    {
        if (from != to)
        {
            Place(_sockets[from], _watched[from], to);
        }
    }

    private void Swap(int a, int b)
    {
        (Socket socket, WatchedSocket? watched) = (_sockets[a], _watched[a]);
        Place(_sockets[b], _watched[b], a);
        Place(socket, watched, b);
    }

    private void Place(Socket socket, WatchedSocket? watched, int position)
    {
        _sockets[position] = socket;
        _watched[position] = watched;
        if (watched is not null)
        {
            SetIndex(watched, position);
        }
    }

    private int IndexOf(WatchedSocket watched) => forWriting ? watched.WriteIndex : watched.ReadIndex;

    private void SetIndex(WatchedSocket watched, int position)
    {
        if (forWriting)
        {
            watched.WriteIndex = position;
        }
        else
        {
            watched.ReadIndex = position;
        }
    }
}
