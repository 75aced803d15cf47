using System.Net;
using System.Net.Sockets;
using SelectReactor.Threading;

namespace SelectReactor.Testing.Tests.Conformance;

/// <summary>
/// Cases that run on the system's network, with each kind of socket, and on the simulated one, and expect the same of
/// all. Where they differ, the system is right, as the core's sockets show it. A case waits for an effect before it
/// looks at it, since only the system's loopback is instant.
/// </summary>
[TestFixtureSource(typeof(World), nameof(World.All))]
public abstract class ConformanceFixture(string world)
{
    protected static readonly IPEndPoint AnyLoopbackPort = new(IPAddress.Loopback, 0);
    private readonly List<SelectorEntry> _entries = [];
    private readonly ThreadAffinity _affinity = new();
    private readonly List<Handle> _opened = [];
    private World _world = null!;

    protected ISelector Selector => _world.Selector;

    protected bool IsHonest => _world.IsHonest;

    protected TimeSpan Now => _world.Now;

    /// <summary>Within which all that is to happen happens.</summary>
    protected TimeSpan Bound => _world.Bound;

    /// <summary>After so long with nothing new, nothing is on its way any more.</summary>
    protected TimeSpan Quiet => _world.Quiet;

    protected bool Evicts => _world.Evicts;

    /// <summary>What the last wait found.</summary>
    protected List<SelectionKey> Ready { get; } = [];

    [SetUp]
    public void Open()
    {
        Ready.Clear();
        _world = World.Open(world);
    }

    [TearDown]
    public void CloseAll()
    {
        _opened.ForEach(static handle => handle.Dispose());
        _opened.Clear();
        _world.Dispose();
    }

    protected T Own<T>(T handle)
        where T : Handle
    {
        _opened.Add(handle);
        return handle;
    }

    protected Handle NewStream() => Own(_world.Handles.CreateStream(AddressFamily.InterNetwork));

    protected Handle NewListener() => Own(_world.Handles.CreateListener(AddressFamily.InterNetwork));

    protected Handle NewDatagram(AddressFamily family = AddressFamily.InterNetwork) =>
        Own(_world.Handles.CreateDatagram(family));

    protected Handle NewSpare() => Own(_world.Handles.CreateSpare(AddressFamily.InterNetwork)!);

    protected Handle Listening(int backlog = 16)
    {
        Handle listener = NewListener();
        Assert.That(listener.Bind(AnyLoopbackPort), Is.EqualTo(SocketError.Success));
        Assert.That(listener.Listen(backlog), Is.EqualTo(SocketError.Success));
        return listener;
    }

    /// <summary>A handle that has begun to connect.</summary>
    protected Handle Connecting(EndPoint remote)
    {
        Handle client = NewStream();
        Assert.That(client.Connect(remote), Is.EqualTo(SocketError.WouldBlock));
        return client;
    }

    /// <summary>A handle that is connected, and has not been accepted yet.</summary>
    protected Handle Connected(Handle listener)
    {
        Handle client = Connecting(listener.LocalEndPoint!);
        WaitFor(client, Interest.Connect);
        Assert.That(client.TakeError(), Is.EqualTo(SocketError.Success));
        return client;
    }

    /// <summary>The two ends of a connection.</summary>
    protected (Handle Client, Handle Server) Pair()
    {
        Handle listener = Listening();
        Handle client = Connected(listener);
        Handle server = Accept(listener);
        listener.Close();
        return (client, server);
    }

    /// <summary>Waits for a client, and takes it.</summary>
    protected Handle Accept(Handle listener)
    {
        Handle? accepted = null;
        SocketError error = UntilItCan(listener, Interest.Read, () => listener.Accept(out accepted));
        Assert.That(error, Is.EqualTo(SocketError.Success));
        return Own(accepted!);
    }

    /// <summary>Waits until there is something to receive, or to learn, and receives it.</summary>
    protected (SocketError Error, byte[] Bytes) Receive(Handle handle, int most = 4096)
    {
        byte[] buffer = new byte[most];
        int received = 0;
        SocketError error = UntilItCan(handle, Interest.Read, () => handle.Receive(buffer, out received));
        return (error, buffer[..received]);
    }

    /// <summary>Receives until there are so many bytes.</summary>
    protected byte[] ReceiveAll(Handle handle, int count)
    {
        List<byte> all = [];
        while (all.Count < count)
        {
            (SocketError error, byte[] bytes) = Receive(handle, Math.Min(count - all.Count, 4096));
            Assert.That(error, Is.EqualTo(SocketError.Success), $"after {all.Count} bytes");
            Assert.That(bytes, Is.Not.Empty, $"the end after {all.Count} bytes");
            all.AddRange(bytes);
        }

        return [.. all];
    }

    /// <summary>What receiving says that has nothing to receive: the bytes must be none.</summary>
    protected SocketError ReceiveNothing(Handle handle)
    {
        (SocketError error, byte[] bytes) = Receive(handle);
        Assert.That(bytes, Is.Empty);
        return error;
    }

    /// <summary>What sending one byte says.</summary>
    protected static SocketError Send(Handle handle)
    {
        SocketError error = handle.Send([1], out int sent);
        Assert.That(sent, Is.EqualTo(error == SocketError.Success ? 1 : 0));
        return error;
    }

    /// <summary>What sending no byte says.</summary>
    protected static SocketError SendNothing(Handle handle) => handle.Send(ReadOnlySpan<byte>.Empty, out _);

    /// <summary>Sends several buffers at once.</summary>
    protected static SocketError SendGathered(Handle handle, out int sent, params byte[][] buffers) =>
        handle.Send([.. buffers.Select(static buffer => new ArraySegment<byte>(buffer))], out sent);

    /// <summary>Sends all of some bytes, each time as many as there is room for.</summary>
    protected void SendAll(Handle handle, byte[] bytes)
    {
        for (int done = 0; done < bytes.Length;)
        {
            int sent = 0;
            SocketError error = UntilItCan(handle, Interest.Write, () => handle.Send(bytes.AsSpan(done), out sent));
            Assert.That(error, Is.EqualTo(SocketError.Success));
            done += sent;
        }
    }

    /// <summary>Sends until neither this end nor the other, which does not read, takes any more.</summary>
    /// <returns>How many bytes that were.</returns>
    protected int Fill(Handle handle)
    {
        byte[] bytes = new byte[16 * 1024];
        int all = 0, before;
        do
        {
            before = all;
            SocketError error;
            while ((error = handle.Send(bytes, out int sent)) == SocketError.Success)
            {
                all += sent;
            }

            Assert.That(error, Is.EqualTo(SocketError.WouldBlock));
            Settle();
        }
        while (all > before);
        return all;
    }

    /// <summary>Waits as a reactor does, and collects the keys that were found in <see cref="Ready"/>.</summary>
    protected void Select(TimeSpan wait)
    {
        _entries.ForEach(static entry => entry.Ready = Interest.None);
        _entries.Clear();
        Selector.Select(wait, _entries);
        Ready.Clear();
        Ready.AddRange(_entries.Select(static entry => entry.Key!));
    }

    protected SelectionKey NewKey(Handle handle, Interest interest) =>
        new(handle, interest, new object(), Selector, _affinity);

    protected SelectionKey Register(Handle handle, Interest interest)
    {
        SelectionKey key = NewKey(handle, interest);
        Selector.Add(key.Entry);
        return key;
    }

    /// <summary>Waits until a handle is ready for all of this.</summary>
    protected void WaitFor(Handle handle, Interest interest)
    {
        SelectionKey key = Register(handle, Interest.None);
        foreach (Interest one in new[] { Interest.Connect, Interest.Read, Interest.Write })
        {
            if ((interest & one) != Interest.None)
            {
                WaitForOne(key, one);
            }
        }

        key.Interest = interest;
        Select(TimeSpan.Zero);
        key.Cancel();
        Assert.That(key.Ready, Is.EqualTo(interest));
    }

    /// <summary>Lets all that is on its way arrive.</summary>
    protected void Settle() => Select(Quiet);

    /// <summary>Where waits are honest, a handle is not ready now for any of this.</summary>
    protected void AssertNotReady(Handle handle, Interest interest)
    {
        SelectionKey key = Register(handle, interest);
        Select(TimeSpan.Zero);
        key.Cancel();
        if (IsHonest)
        {
            Assert.That(key.Ready, Is.EqualTo(Interest.None));
        }
    }

    private void WaitForOne(SelectionKey key, Interest one)
    {
        if (!IsHonest && one != Interest.Connect)
        {
            // What a wait says is worth something only when everything that was on its way has arrived.
            Settle();
        }

        key.Interest = one;
        Select(Bound);
        Assert.That(key.Ready, Is.EqualTo(one), $"not ready within {Bound}");
        key.Interest = Interest.None;
    }

    /// <summary>Calls something, and again when the handle may be ready, until it would not block.</summary>
    protected SocketError UntilItCan(Handle handle, Interest interest, Func<SocketError> call)
    {
        TimeSpan end = Now + Bound;
        SelectionKey? key = null;
        SocketError error;
        while ((error = call()) == SocketError.WouldBlock && Now < end)
        {
            key ??= Register(handle, interest);
            Select(Bound);
        }

        key?.Cancel();
        return error;
    }
}
