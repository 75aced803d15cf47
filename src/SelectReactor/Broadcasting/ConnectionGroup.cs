using System.Buffers;
using System.Collections;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using SelectReactor.Broadcasting;
using SelectReactor.Buffers;

namespace SelectReactor;

/// <summary>
/// Connections of one reactor that are sent the same messages: a chat room, the subscribers of a topic. A message is
/// written once, and the queues of all members share its memory. Use it on the reactor's thread, but for
/// <see cref="BroadcastAsync"/>.
/// </summary>
/// <remarks>A connection may be in any number of groups, and leaves them by itself when it closes, before its
/// <see cref="IConnectionHandler.OnClosed"/>. Members may be added and removed in any callback. An enumeration of the
/// group runs over a snapshot.</remarks>
[SuppressMessage("Naming", "CA1710", Justification = "It is a group that one can enumerate.")]
[DebuggerDisplay("{ToString(),nq}")]
public sealed class ConnectionGroup : IReadOnlyCollection<Connection>
{
    private readonly ConnectionGroupOptions _options;
    private readonly List<Connection> _members = [];
    private readonly Dictionary<Connection, Membership> _memberships = new(ReferenceEqualityComparer.Instance);

    /// <summary>For the next broadcast, unless one is under way.</summary>
    private BroadcastRun? _idleRun = new();
    private SharedPayload? _idlePayload;

    /// <summary>A group with default options.</summary>
    /// <param name="reactor">The reactor of its members.</param>
    /// <exception cref="ArgumentNullException"><paramref name="reactor"/> is null.</exception>
    public ConnectionGroup(Reactor reactor)
        : this(reactor, new ConnectionGroupOptions())
    {
    }

    /// <summary>A group with options of its own. Any thread.</summary>
    /// <param name="reactor">The reactor of its members.</param>
    /// <param name="options">When a member is slow, and what happens then. They are copied.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    public ConnectionGroup(Reactor reactor, ConnectionGroupOptions options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(options);
        Reactor = reactor;
        _options = options.Copy();
    }

    /// <summary>The reactor of its members. Any thread.</summary>
    public Reactor Reactor { get; }

    /// <summary>The number of members.</summary>
    public int Count
    {
        get
        {
            Reactor.VerifyAccess();
            return _members.Count;
        }
    }

    /// <summary>Adds a member.</summary>
    /// <returns>False, and nothing changed, if the connection is a member already, or if it is closing or
    /// closed.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="connection"/> is null.</exception>
    /// <exception cref="ArgumentException">The connection is one of another reactor.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public bool Add(Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        Reactor.VerifyAccess();
        if (connection.Reactor != Reactor)
        {
            throw new ArgumentException(
                "The connection belongs to another reactor than the group: use one group for each reactor.",
                nameof(connection));
        }

        if (connection.State > ConnectionState.Open || _memberships.ContainsKey(connection))
        {
            return false;
        }

        var membership = new Membership(this, connection, _members.Count);
        _members.Add(connection);
        _memberships.Add(connection, membership);
        membership.Closing = connection.ConnectionClosed.UnsafeRegister(
            static membership => ((Membership)membership!).Leave(), membership);
        return true;
    }

    /// <summary>Takes a member out. What it was sent before stays in its queue.</summary>
    /// <returns>False if the connection is not a member.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="connection"/> is null.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public bool Remove(Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        Reactor.VerifyAccess();
        if (!_memberships.Remove(connection, out Membership? membership))
        {
            return false;
        }

        membership.Closing.Unregister();
        Connection last = _members[^1];
        _members[membership.Index] = last;
        _members.RemoveAt(_members.Count - 1);
        if (last != connection)
        {
            _memberships[last].Index = membership.Index;
        }

        return true;
    }

    /// <summary>Whether the connection is a member.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="connection"/> is null.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public bool Contains(Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        Reactor.VerifyAccess();
        return _memberships.ContainsKey(connection);
    }

    /// <summary>Sends bytes to all members.</summary>
    /// <inheritdoc cref="BroadcastExcept(Connection, ReadOnlySpan{byte})"/>
    public BroadcastResult Broadcast(ReadOnlySpan<byte> message) => Write(message, except: null);

    /// <summary>Encodes a message once, and sends it to all members.</summary>
    /// <inheritdoc cref="BroadcastExcept{T}(Connection, MessageEncoder{T}, T)"/>
    public BroadcastResult Broadcast<T>(MessageEncoder<T> encoder, T message)
        where T : allows ref struct => Encode(encoder, message, except: null);

    /// <summary>Sends bytes to all members but one. They are copied once, before the call returns. It never waits:
    /// each member's queue is sent as what <see cref="Connection.Output"/> was given is. The members are those at the
    /// time of the call.</summary>
    /// <param name="except">A connection to leave out, such as the one that has said it.</param>
    /// <param name="message">The bytes. If there are none, nothing happens.</param>
    /// <exception cref="ArgumentNullException"><paramref name="except"/> is null.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public BroadcastResult BroadcastExcept(Connection except, ReadOnlySpan<byte> message)
    {
        ArgumentNullException.ThrowIfNull(except);
        return Write(message, except);
    }

    /// <summary>Encodes a message once, and sends it to all members but one, as
    /// <see cref="BroadcastExcept(Connection, ReadOnlySpan{byte})"/> does.</summary>
    /// <typeparam name="T">The type of the message; also a span.</typeparam>
    /// <param name="except">A connection to leave out, such as the one that has said it.</param>
    /// <param name="encoder">Writes the message. If it throws, nothing is sent.</param>
    /// <param name="message">The message.</param>
    /// <exception cref="ArgumentNullException"><paramref name="except"/> or <paramref name="encoder"/> is
    /// null.</exception>
    /// <exception cref="ArgumentException">The message can't be written in this form.</exception>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public BroadcastResult BroadcastExcept<T>(Connection except, MessageEncoder<T> encoder, T message)
        where T : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(except);
        return Encode(encoder, message, except);
    }

    /// <summary>Sends bytes to all members, in a later phase of the loop. Any thread.</summary>
    /// <param name="message">The bytes, which must not change before the task completes.</param>
    /// <returns>A task with the result; with an <see cref="ObjectDisposedException"/> if the reactor is
    /// disposed.</returns>
    public Task<BroadcastResult> BroadcastAsync(ReadOnlyMemory<byte> message) =>
        Reactor.InvokeAsync(() => Broadcast(message.Span));

    /// <summary>Enumerates a snapshot of the members.</summary>
    /// <exception cref="InvalidOperationException">Called on another thread.</exception>
    public IEnumerator<Connection> GetEnumerator()
    {
        Reactor.VerifyAccess();
        return ((IEnumerable<Connection>)_members.ToArray()).GetEnumerator();
    }

    /// <summary>The number of members. Any thread; on another one than the reactor's it may be a moment
    /// old.</summary>
    public override string ToString() => $"Group of {_members.Count} connections";

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private BroadcastResult Write(ReadOnlySpan<byte> message, Connection? except)
    {
        Reactor.VerifyAccess();
        SharedPayload payload = TakePayload();
        try
        {
            payload.Write(message);
            return Send(payload.Bytes, except);
        }
        finally
        {
            Return(payload);
        }
    }

    private BroadcastResult Encode<T>(MessageEncoder<T> encoder, T message, Connection? except)
        where T : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(encoder);
        Reactor.VerifyAccess();
        SharedPayload payload = TakePayload();
        try
        {
            encoder.Encode(message, payload);
            return Send(payload.Bytes, except);
        }
        finally
        {
            Return(payload);
        }
    }

    // An encoder may itself broadcast: then that one has a payload of its own.
    private SharedPayload TakePayload()
    {
        SharedPayload payload = _idlePayload ?? new SharedPayload(Reactor.Buffers);
        _idlePayload = null;
        return payload;
    }

    private void Return(SharedPayload payload)
    {
        payload.Clear();
        _idlePayload = payload;
    }

    private BroadcastResult Send(in ReadOnlySequence<byte> message, Connection? except)
    {
        if (message.IsEmpty)
        {
            return default;
        }

        BroadcastRun run = _idleRun ?? new BroadcastRun();
        _idleRun = null;
        try
        {
            return run.Send(message, CollectionsMarshal.AsSpan(_members), except, _options);
        }
        finally
        {
            run.Clear();
            _idleRun = run;
        }
    }

    private sealed class Membership(ConnectionGroup group, Connection connection, int index)
    {
        public int Index { get; set; } = index;

        public CancellationTokenRegistration Closing { get; set; }

        public void Leave() => group.Remove(connection);
    }
}
