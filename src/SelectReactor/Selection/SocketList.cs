using System.Collections;
using System.Net.Sockets;

namespace SelectReactor.Selection;

/// <summary>
/// The sockets of one <c>Socket.Select</c> list, together with their keys. <c>Socket.Select</c> takes out, one
/// <see cref="RemoveAt"/> at a time, what is not ready, backwards on Unix and forwards on Windows. The view that it works on
/// is a gap buffer of positions: the gap follows the removals, and only the few that are ready are ever moved across it, so
/// that a removal is O(1) in both directions. <see cref="Rewind"/> makes the view whole again at the cost of those few. The
/// members are kept in two parts, hot before cold, so that the view can also be opened on the hot ones alone.
/// </summary>
internal sealed class SocketList(bool forWriting) : IList
{
    private const int InitialCapacity = 16;
    private Socket[] _sockets = new Socket[InitialCapacity];
    private SelectionKey?[] _keys = new SelectionKey?[InitialCapacity];
    private int _members;
    private int _hot;

    /// <summary>The view's positions in order, with the gap between; outside the moved range each is its own index.</summary>
    private int[] _view = Identity(InitialCapacity);
    private int _viewLength;
    private int _gapStart;
    private int _gapEnd;
    private int _movedStart;
    private int _movedEnd;

    /// <summary>How many sockets are registered, whatever a select took out of view.</summary>
    public int Members => _members;

    /// <summary>How many of them are hot.</summary>
    public int Hot => _hot;

    /// <summary>How many are in view: all after <see cref="Rewind"/>, the ready ones after a select.</summary>
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

    /// <summary>The key at a place in view; null for the wake-up socket, which has none.</summary>
    public SelectionKey? KeyAt(int index) => _keys[PositionAt(index)];

    /// <summary>The key of a member, the hot ones first; null for the wake-up socket.</summary>
    public SelectionKey? MemberAt(int position) => _keys[position];

    /// <summary>Adds a hot member: who is new has something to say.</summary>
    public void Add(Socket socket, SelectionKey? key)
    {
        if (_members == _sockets.Length)
        {
            Array.Resize(ref _sockets, _members * 2);
            Array.Resize(ref _keys, _members * 2);
            _view = Identity(_members * 2);
            _movedStart = _movedEnd = 0;
        }

        int last = _members++;
        if (_hot < last)
        {
            Place(_sockets[_hot], _keys[_hot], last);
        }

        Place(socket, key, _hot++);
    }

    public void Remove(SelectionKey key)
    {
        int position = forWriting ? key.WriteSlot : key.Slot;
        if (position < _hot)
        {
            MakeCold(position);
            position = _hot;
        }

        int last = --_members;
        Place(_sockets[last], _keys[last], position);
        _sockets[last] = null!;
        _keys[last] = null;
        SetSlot(key, -1);
    }

    /// <summary>Moves a cold member to the hot ones; a hot one stays.</summary>
    public void MakeHot(SelectionKey key)
    {
        int position = forWriting ? key.WriteSlot : key.Slot;
        if (position >= _hot)
        {
            Swap(position, _hot++);
        }
    }

    /// <summary>Moves the hot member at a position to the cold ones; the last of the hot ones takes its place.</summary>
    public void MakeCold(int position) => Swap(position, --_hot);

    /// <summary>Brings the members into view, all or the hot ones only.</summary>
    public void Rewind(bool hotOnly = false)
    {
        for (int i = _movedStart; i < _movedEnd; i++)
        {
            _view[i] = i;
        }

        _viewLength = hotOnly ? _hot : _members;
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
            // An empty gap moves for nothing.
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

    private int PositionAt(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return _view[index < _gapStart ? index : index + (_gapEnd - _gapStart)];
    }

    private void Move(int from, int to)
    {
        _view[to] = _view[from];
        _movedStart = Math.Min(_movedStart, to);
        _movedEnd = Math.Max(_movedEnd, to + 1);
    }

    private void Swap(int a, int b)
    {
        (Socket socket, SelectionKey? key) = (_sockets[a], _keys[a]);
        Place(_sockets[b], _keys[b], a);
        Place(socket, key, b);
    }

    private void Place(Socket socket, SelectionKey? key, int position)
    {
        _sockets[position] = socket;
        _keys[position] = key;
        if (key is not null)
        {
            SetSlot(key, position);
        }
    }

    private void SetSlot(SelectionKey key, int position)
    {
        if (forWriting)
        {
            key.WriteSlot = position;
        }
        else
        {
            key.Slot = position;
        }
    }
}
