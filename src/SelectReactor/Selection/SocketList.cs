using System.Collections;
using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>
/// The sockets of one <c>Socket.Select</c> list, together with their entries. <c>Socket.Select</c> removes the
/// sockets that are not ready with one <see cref="RemoveAt"/> each, backwards on Unix and forwards on Windows. It
/// works on a view, which is a gap buffer of positions: the gap follows the removals, and only the few ready
/// positions are moved across it, so that a removal is O(1) in both directions. A view shows all members, the hot
/// ones, or a slice of the cold ones. Members that become hot or cold keep their positions: slices follow the order in
/// which the sockets were opened. This is about the order of the kernel's objects in memory: a look at cold ones is a
/// sixth cheaper than in a random order.
/// </summary>
internal sealed class SocketList(bool forWriting) : IList
{
    private const int InitialCapacity = 16;
    private const int Cold = -1;
    private Socket[] _sockets = new Socket[InitialCapacity];
    private WatchedSocket?[] _watched = new WatchedSocket?[InitialCapacity];

    /// <summary>For each member its index in <see cref="_hot"/>, or <see cref="Cold"/>.</summary>
    private int[] _hotIndexes = new int[InitialCapacity];

    /// <summary>The positions of the hot members, in no order.</summary>
    private int[] _hot = new int[InitialCapacity];
    private int _members;
    private int _cursor;
    private int _sliceEnd;

    /// <summary>The positions in view in order, with the gap between them.</summary>
    private int[] _view = new int[InitialCapacity];
    private int _viewLength;
    private int _gapStart;
    private int _gapEnd;

    /// <summary>How many sockets there are, in view or not.</summary>
    public int Members => _members;

    /// <summary>How many of them are hot.</summary>
    public int Hot { get; private set; }

    /// <summary>How many are in view: those that were brought in, less those that a select removed.</summary>
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

    /// <summary>A member; null for the wake-up socket, which has no entry.</summary>
    public WatchedSocket? MemberAt(int position) => _watched[position];

    /// <summary>A hot member; null for the wake-up socket, which has no entry.</summary>
    public WatchedSocket? HotAt(int index) => _watched[_hot[index]];

    public bool IsHot(WatchedSocket watched) => _hotIndexes[IndexOf(watched)] != Cold;

    /// <summary>Adds a hot member: a new socket is likely to be ready soon.</summary>
    public void Add(Socket socket, WatchedSocket? watched)
    {
        if (_members == _sockets.Length)
        {
            Array.Resize(ref _sockets, _members * 2);
            Array.Resize(ref _watched, _members * 2);
            Array.Resize(ref _hotIndexes, _members * 2);
            Array.Resize(ref _hot, _members * 2);
            Array.Resize(ref _view, _members * 2);
        }

        int position = _members++;
        Place(socket, watched, position);
        AddHot(position);
    }

    public void Remove(WatchedSocket watched)
    {
        int position = IndexOf(watched);
        if (_hotIndexes[position] != Cold)
        {
            MakeCold(_hotIndexes[position]);
        }

        // Others wait for one more look at most: the last one that was looked at fills the gap, and the last of those
        // that still wait takes its place.
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

    /// <summary>Makes a cold member hot; a hot one stays.</summary>
    public void MakeHot(WatchedSocket watched)
    {
        int position = IndexOf(watched);
        if (_hotIndexes[position] == Cold)
        {
            AddHot(position);
        }
    }

    /// <summary>Makes the hot member at an index cold; the last of the hot ones takes its index.</summary>
    public void MakeCold(int index)
    {
        _hotIndexes[_hot[index]] = Cold;
        int last = _hot[--Hot];
        if (index < Hot)
        {
            _hot[index] = last;
            _hotIndexes[last] = index;
        }
    }

    /// <summary>Puts another socket in the place of a member that has no entry.</summary>
    public void Replace(int position, Socket socket) => _sockets[position] = socket;

    /// <summary>How many one may ask for.</summary>
    public int CountOf(Asked asked) => asked == Asked.Hot ? Hot : _members;

    /// <summary>Brings some of the hot ones or of all into view.</summary>
    public void Show(Asked asked, int first, int count)
    {
        ResetView(count);
        if (asked == Asked.Hot)
        {
            _hot.AsSpan(first, count).CopyTo(_view);
            return;
        }

        for (int i = 0; i < count; i++)
        {
            _view[i] = first + i;
        }
    }

    /// <summary>
    /// Brings the next cold members into view. They are taken in turn: as many slices as the cold ones need show each
    /// once, and are about equal. The turn goes on with <see cref="EndSlice"/>.
    /// </summary>
    public void ShowSlice(int maxSize)
    {
        int cold = _members - Hot;
        int size = cold == 0 ? 0 : DivideUp(cold, DivideUp(cold, maxSize));
        ResetView(size);
        _sliceEnd = _cursor;
        for (int i = 0; i < size; _sliceEnd++)
        {
            if (_sliceEnd == _members)
            {
                _sliceEnd = 0;
            }

            if (_hotIndexes[_sliceEnd] == Cold)
            {
                _view[i++] = _sliceEnd;
            }
        }
    }

    /// <summary>The members of the last slice have been looked at.</summary>
    public void EndSlice() => _cursor = _sliceEnd;

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
            _view[--_gapEnd] = _view[--_gapStart];
        }

        while (_gapStart < index)
        {
            _view[_gapStart++] = _view[_gapEnd++];
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

    private static int DivideUp(int number, int divisor) => (number + divisor - 1) / divisor;

    private int PositionAt(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return _view[index < _gapStart ? index : index + (_gapEnd - _gapStart)];
    }

    private void ResetView(int count)
    {
        _viewLength = count;
        _gapStart = _gapEnd = count;
    }

    private void AddHot(int position)
    {
        _hotIndexes[position] = Hot;
        _hot[Hot++] = position;
    }

    private void MoveMember(int from, int to)
    {
        if (from == to)
        {
            return;
        }

        Place(_sockets[from], _watched[from], to);
        int index = _hotIndexes[from];
        _hotIndexes[to] = index;
        if (index != Cold)
        {
            _hot[index] = to;
        }
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
