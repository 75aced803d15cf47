using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace SelectReactor.Epoll.Tests;

/// <summary>What is particular to epoll; what every selector does is tested with the core, over this one as
/// well.</summary>
[Platform("Linux")]
public sealed partial class EpollSelectorTests
{
    private const int SignalContinue = 18;
    private readonly Recorder _recorder = new();
    private readonly List<Socket> _sockets = [];
    private Reactor _reactor = null!;
    private Socket _listener = null!;

    [SetUp]
    public void Open()
    {
        _reactor = new Reactor(new ReactorOptions().UseEpoll());
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(1024);
    }

    [TearDown]
    public void Close()
    {
        _reactor.Dispose();
        _listener.Dispose();
        _sockets.ForEach(static socket => socket.Dispose());
        _sockets.Clear();
        _recorder.Ready.Clear();
    }

    [Test]
    public void ForeignHandle_IsRefused()
    {
        Assert.That(
            () => _reactor.Register(new Mock<Handle>().Object, Interest.Read, _recorder),
            Throws.ArgumentException.With.Message.Contains("SocketHandle"));
    }

    [Test]
    public void ResetPeer_IsSilent_WithoutInterest_AndReadableWithIt()
    {
        (SocketHandle near, Socket far) = Pair();
        SelectionKey key = _reactor.Register(near, Interest.None, _recorder);
        far.LingerState = new LingerOption(true, 0);
        far.Dispose();
        Assert.That(near.Socket.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead), "the reset arrives");

        Assert.That(_reactor.RunOnce(TimeSpan.Zero), Is.Zero);

        key.Interest = Interest.Read;
        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_recorder.Ready, Is.EqualTo(new[] { (key, Interest.Read) }));
        Assert.That(near.Receive(new byte[1], out _), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public void KeyOfAReusedDescriptor_IsNotConfusedWithTheOldOne()
    {
        (SocketHandle old, _) = Pair();
        SelectionKey oldKey = _reactor.Register(old, Interest.Read, _recorder);
        nint descriptor = old.Socket.Handle;
        old.Socket.Dispose();
        (SocketHandle young, Socket far) = PairWithDescriptor(descriptor);
        SelectionKey youngKey = _reactor.Register(young, Interest.Read, _recorder);

        oldKey.Interest = Interest.Write;
        oldKey.Cancel();
        far.Send([1]);
        Assert.That(young.Socket.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead), "the byte arrives");
        _reactor.RunOnce(TimeSpan.Zero);

        Assert.That(_recorder.Ready, Is.EqualTo(new[] { (youngKey, Interest.Read) }));
    }

    [Test]
    public void SocketClosedWhileRegistered_IsEvicted_WhenItsDescriptorIsReused()
    {
        (SocketHandle old, _) = Pair();
        SelectionKey oldKey = _reactor.Register(old, Interest.Read, _recorder);
        nint descriptor = old.Socket.Handle;
        old.Socket.Dispose();
        (SocketHandle young, _) = PairWithDescriptor(descriptor);
        SelectionKey youngKey = _reactor.Register(young, Interest.Read, _recorder);

        Assert.That(_reactor.RunOnce(TimeSpan.FromSeconds(10)), Is.EqualTo(1), "does not wait");

        Assert.That(_recorder.Ready, Is.EqualTo(new[] { (oldKey, Interest.Read) }));
        Assert.That((oldKey.IsValid, youngKey.IsValid), Is.EqualTo((false, true)));
        Assert.That(_reactor.RunOnce(TimeSpan.Zero), Is.Zero);
    }

    [Test]
    public void SocketClosedWhileRegistered_IsEvicted_WhenItsInterestChanges()
    {
        (SocketHandle handle, _) = Pair();
        SelectionKey key = _reactor.Register(handle, Interest.Read, _recorder);
        handle.Socket.Dispose();

        key.Interest = Interest.Write;
        key.Interest = Interest.Read | Interest.Write;
        Assert.That(_reactor.RunOnce(TimeSpan.FromSeconds(10)), Is.EqualTo(1), "does not wait");

        Assert.That(_recorder.Ready, Is.EqualTo(new[] { (key, Interest.Read | Interest.Write) }));
        Assert.That(key.IsValid, Is.False);
    }

    [Test]
    public void ClosedHandle_IsRefused()
    {
        (SocketHandle handle, _) = Pair();
        handle.Close();

        Assert.That(
            () => _reactor.Register(handle, Interest.Read, _recorder),
            Throws.ArgumentException.With.Message.Contains("is closed"));
    }

    [Test]
    public void MoreReadyThanOneCallReports_AllHaveTheirTurn()
    {
        var keys = new HashSet<SelectionKey>();
        for (int i = 0; i < 1200; i++)
        {
            (SocketHandle near, Socket far) = Pair();
            far.Send([1]);
            keys.Add(_reactor.Register(near, Interest.Read, _recorder));
        }

        for (int i = 0; i < 3; i++)
        {
            _reactor.RunOnce(TimeSpan.Zero);
        }

        Assert.That(_recorder.Ready.Select(static ready => ready.Key).ToHashSet(), Is.EquivalentTo(keys));
    }

    [Test]
    public void Wait_GoesOnForTheRestOfItsTime_AfterASignal()
    {
        var wait = TimeSpan.FromMilliseconds(200);
        using ISelector selector = EpollSelector.Create();
        int thread = 0;
        bool done = false;
        TimeSpan waited = TimeSpan.Zero;
        var waiter = new Thread(() =>
        {
            Volatile.Write(ref thread, CurrentThread());
            long start = Stopwatch.GetTimestamp();
            selector.Select(wait, []);
            waited = Stopwatch.GetElapsedTime(start);
            Volatile.Write(ref done, true);
        });
        waiter.Start();
        Assert.That(SpinWait.SpinUntil(() => Volatile.Read(ref thread) != 0, TimeSpan.FromSeconds(10)));
        int signals = 0;
        while (!Volatile.Read(ref done) && signals < 1000)
        {
            Assert.That(SendSignal(Environment.ProcessId, thread, SignalContinue), Is.Zero);
            signals++;
            waiter.Join(TimeSpan.FromMilliseconds(2));
        }

        waiter.Join();
        Assert.That(signals, Is.GreaterThan(1));
        Assert.That(waited, Is.GreaterThanOrEqualTo(wait));
    }

    [Test]
    public void RefusedRegistration_And_RefusedChange_LeaveEverythingAsItWas()
    {
        (SocketHandle near, Socket far) = Pair();
        SelectionKey first = _reactor.Register(near, Interest.Read, _recorder);

        // The kernel refuses a descriptor that is in the set already.
        using var alias = new Socket(new SafeSocketHandle(near.Socket.Handle, ownsHandle: false));
        var second = new SocketHandle(alias);
        SelectionKey key = _reactor.Register(second, Interest.None, _recorder);
        for (int i = 0; i < 3; i++)
        {
            Assert.That(() => key.Interest = Interest.Read, Throws.InstanceOf<IOException>());
            Assert.That((key.Interest, key.IsValid), Is.EqualTo((Interest.None, true)));
        }

        key.Cancel();
        for (int i = 0; i < 3; i++)
        {
            Assert.That(() => _reactor.Register(second, Interest.Read, _recorder), Throws.InstanceOf<IOException>());
        }

        far.Send([1]);
        Assert.That(near.Socket.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead), "the byte arrives");
        _reactor.RunOnce(TimeSpan.Zero);
        Assert.That(_recorder.Ready, Is.EqualTo(new[] { (first, Interest.Read) }));

        first.Cancel();
        Assert.That(() => _reactor.Register(second, Interest.Read, _recorder), Throws.Nothing);
    }

    [Test]
    public void Wake_AfterDispose_DoesNothing()
    {
        ISelector selector = EpollSelector.Create();
        selector.Dispose();
        Assert.That(selector.Wake, Throws.Nothing);
    }

    [Test]
    public void SocketDisposedOf_WithADuplicate_DoesNotMakeTheLoopSpin_AndTheOthersAreWatchedOn()
    {
        const int Ticks = 32;
        var wait = TimeSpan.FromMilliseconds(50);
        ISelector selector = null!;
        using var reactor = new Reactor(new ReactorOptions
        {
            SelectorFactory = () => selector = EpollSelector.Create(),
        });
        (SocketHandle gone, Socket far) = Pair();
        (SocketHandle silent, Socket silentFar) = Pair();
        (SocketHandle other, Socket otherFar) = Pair();
        (SocketHandle unnoticed, _) = Pair();
        SelectionKey goneKey = reactor.Register(gone, Interest.Read, _recorder);
        reactor.Register(silent, Interest.None, _recorder);
        SelectionKey otherKey = reactor.Register(other, Interest.Read, _recorder);
        SelectionKey unnoticedKey = reactor.Register(unnoticed, Interest.Read, _recorder);
        using var duplicate = new SafeSocketHandle(Duplicate((int)gone.Socket.Handle), ownsHandle: true);
        Assert.That(duplicate.IsInvalid, Is.False);
        gone.Socket.Dispose();
        unnoticed.Socket.Dispose();
        goneKey.Cancel();
        far.Send([1]);
        silentFar.Send([1]);
        Assert.That(silent.Socket.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead), "the byte arrives");
        using (var alias = new Socket(new SafeSocketHandle(duplicate.DangerousGetHandle(), ownsHandle: false)))
        {
            Assert.That(alias.Poll(TimeSpan.FromSeconds(10), SelectMode.SelectRead), "the other, too");
        }

        for (int i = 0; i < Ticks; i++)
        {
            reactor.RunOnce(TimeSpan.Zero);
        }

        Assert.That(_recorder.Ready, Is.EqualTo(new[] { (unnoticedKey, Interest.Read) }), "evicted");
        long start = Stopwatch.GetTimestamp();
        selector.Select(wait, []);
        Assert.That(Stopwatch.GetElapsedTime(start), Is.GreaterThanOrEqualTo(wait), "it waits");
        _recorder.Ready.Clear();
        otherFar.Send([1]);
        reactor.RunOnce(TimeSpan.FromSeconds(10));
        Assert.That(_recorder.Ready, Is.EqualTo(new[] { (otherKey, Interest.Read) }));
        otherKey.Cancel();
        var waiter = new Thread(() => selector.Select(Timeout.InfiniteTimeSpan, [])) { IsBackground = true };
        selector.Wake();
        waiter.Start();
        Assert.That(waiter.Join(TimeSpan.FromSeconds(10)), "a wake-up wakes it");
    }

    [LibraryImport("libc", EntryPoint = "tgkill")]
    private static partial int SendSignal(int process, int thread, int signal);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int descriptor);

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int CurrentThread();

    private (SocketHandle Near, Socket Far) Pair()
    {
        Socket far = Keep(new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        far.Connect(_listener.LocalEndPoint!);
        return (new SocketHandle(Keep(_listener.Accept())), far);
    }

    // The system gives the lowest free number, so a few tries find it.
    private (SocketHandle Near, Socket Far) PairWithDescriptor(nint descriptor)
    {
        for (int i = 0; i < 64; i++)
        {
            (SocketHandle near, Socket far) = Pair();
            if (near.Socket.Handle == descriptor)
            {
                return (near, far);
            }

            if (far.Handle == descriptor)
            {
                return (new SocketHandle(far), near.Socket);
            }
        }

        throw new InvalidOperationException("The descriptor was not given out again.");
    }

    private Socket Keep(Socket socket)
    {
        _sockets.Add(socket);
        return socket;
    }

    private sealed class Recorder : IEventHandler
    {
        public List<(SelectionKey Key, Interest Ready)> Ready { get; } = [];

        public void OnReady(SelectionKey key) => Ready.Add((key, key.Ready));
    }
}
