using System.Collections.ObjectModel;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using SelectReactor.Epoll;

namespace SelectReactor.Epoll.Tests;

/// <summary>What is particular to the handles of this package; what every handle does is tested by the conformance
/// cases, over these as well.</summary>
[Platform("Linux")]
public sealed class EpollHandleTests
{
    private static readonly IHandleFactory _handles = new ReactorOptions().UseEpoll().HandleFactory;
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(20);
    private readonly List<IDisposable> _owned = [];
    private Socket _listener = null!;

    [SetUp]
    public void Listen()
    {
        _listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    [TearDown]
    public void DisposeOwned()
    {
        _owned.ForEach(static owned => owned.Dispose());
        _owned.Clear();
        _listener.Dispose();
    }

    [TestCase("127.0.0.1", false)]
    [TestCase("::1", false)]
    [TestCase("::", true)]
    public void AcceptedHandle_KnowsItsAddresses(string address, bool dualMode)
    {
        Handle listener = Listening(new IPEndPoint(IPAddress.Parse(address), 0), dualMode);
        int port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        IPAddress target = dualMode ? IPAddress.Loopback : IPAddress.Parse(address);
        Socket peer = Connect(new IPEndPoint(target, port));

        Handle accepted = Accept(listener);

        Assert.That(accepted.RemoteEndPoint, Is.EqualTo(Mapped(peer.LocalEndPoint!, dualMode)));
        Assert.That(accepted.LocalEndPoint, Is.EqualTo(Mapped(peer.RemoteEndPoint!, dualMode)));
        Assert.That(accepted.ToString(), Does.Contain($"on {accepted.LocalEndPoint} to {accepted.RemoteEndPoint}"));
    }

    [Test]
    public void AcceptedUnixHandle_KnowsItsAddresses_AndTransfers([Values] bool isNamed)
    {
        string path = NewPath();
        Handle listener = Listening(new UnixDomainSocketEndPoint(path));
        Socket peer = Own(new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        string name = isNamed ? NewPath() : "";
        if (isNamed)
        {
            peer.Bind(new UnixDomainSocketEndPoint(name));
        }

        peer.Connect(new UnixDomainSocketEndPoint(path));
        Handle accepted = Accept(listener);

        Assert.That(accepted.RemoteEndPoint?.ToString(), Is.EqualTo(name));
        Assert.That(accepted.LocalEndPoint?.ToString(), Is.EqualTo(path));
        Assert.That(accepted.Send("four"u8, out int sent), Is.EqualTo(SocketError.Success));
        byte[] buffer = new byte[8];
        Assert.That((sent, peer.Receive(buffer)), Is.EqualTo((4, 4)));
        peer.Dispose();
        Assert.That(accepted.Receive(buffer, out int received), Is.EqualTo(SocketError.Success));
        Assert.That(received, Is.Zero, "the end");
        Assert.That(accepted.TryGetAcknowledgedBytes(out _), Is.False);
    }

    [Test]
    public void SocketOfAnAcceptedHandle_IsConnected_AndIsTheSame()
    {
        (Handle handle, Socket peer) = Pair();

        Socket socket = handle.Socket!;

        Assert.That(socket.Connected);
        Assert.That(socket.Blocking, Is.False);
        Assert.That(socket.RemoteEndPoint, Is.EqualTo(peer.LocalEndPoint));
        Assert.That(socket.LocalEndPoint, Is.EqualTo(peer.RemoteEndPoint));
        Assert.That((socket.SocketType, socket.ProtocolType), Is.EqualTo((SocketType.Stream, ProtocolType.Tcp)));
        Assert.That(handle.Socket, Is.SameAs(socket));
        socket.NoDelay = true;
        Assert.That(socket.NoDelay);
    }

    [Test]
    public void HandleWhoseSocketIsShared_GoesOn()
    {
        (Handle handle, Socket peer) = Pair();
        Assert.That(handle.Send([1], out _), Is.EqualTo(SocketError.Success));
        Assert.That(handle.Socket, Is.Not.Null);

        Assert.That(handle.Send([2], out _), Is.EqualTo(SocketError.Success));
        Assert.That(Send(handle, [3], [4]), Is.EqualTo((SocketError.Success, 2)));
        Assert.That(ReceiveAll(peer, 4), Is.EqualTo(new byte[] { 1, 2, 3, 4 }));
        peer.Send([5]);
        Assert.That(handle.Socket!.Poll(_bound, SelectMode.SelectRead));
        byte[] buffer = new byte[4];
        Assert.That(handle.Receive(buffer, out int received), Is.EqualTo(SocketError.Success));
        Assert.That((received, buffer[0]), Is.EqualTo((1, 5)));
        Assert.That(AcknowledgedSoon(handle, 4), "the count goes on");
        Assert.That(handle.Shutdown(SocketShutdown.Send), Is.EqualTo(SocketError.Success));
        Assert.That(peer.Receive(buffer), Is.Zero);
    }

    [Test]
    public void SocketThatAUserDisposes_ClosesTheHandle_AndItsNumberIsNotUsedAgain([Values] bool isAdopted)
    {
        (Handle handle, Socket peer) = isAdopted ? AdoptedPair() : Pair();
        nint number = handle.Socket!.SafeHandle.DangerousGetHandle();
        Task.Run(handle.Socket.Dispose).Wait();
        Assert.That(peer.Receive(new byte[1]), Is.Zero, "the end");
        (Socket young, Socket far) = PairWithDescriptor(number);

        SocketError[] answers =
        [
            handle.Send([9], out _),
            Send(handle, [9], [9]).Error,
            handle.Receive(new byte[1], out _),
            handle.Shutdown(SocketShutdown.Both),
            handle.TakeError(),
            handle.Accept(out _),
            handle.SetOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, 1),
            handle.Bind(new IPEndPoint(IPAddress.Loopback, 0)),
        ];
        Assert.That(answers, Is.All.EqualTo(SocketError.OperationAborted));
        Assert.That(handle.IsClosed);
        Assert.That(handle.TryGetAcknowledgedBytes(out _), Is.False);
        Assert.That((handle.LocalEndPoint, handle.RemoteEndPoint), Is.EqualTo(((EndPoint?)null, (EndPoint?)null)));
        handle.Abort();
        handle.Close();

        young.Send([7]);
        Assert.That(ReceiveAll(far, 1), Is.EqualTo(new byte[] { 7 }));
    }

    [Test]
    public void AdoptionThatFails_ClosesNothing_WhenItIsCollected()
    {
        Fail();
        GC.Collect();
        GC.WaitForPendingFinalizers();

        Assert.That(Directory.GetFileSystemEntries("/proc/self/fd"), Does.Contain("/proc/self/fd/0"));

        [MethodImpl(MethodImplOptions.NoInlining)]
        void Fail()
        {
            (Socket near, _) = SocketPair();
            near.Dispose();
            Assert.That(() => _handles.Adopt(near), Throws.TypeOf<ObjectDisposedException>());
        }
    }

    [Test]
    public void SocketThatIsMadeAfterAReset_StillKnowsItsPeer()
    {
        (Handle handle, Socket peer) = Pair();
        EndPoint remote = peer.LocalEndPoint!;
        peer.LingerState = new LingerOption(enable: true, seconds: 0);
        peer.Dispose();
        Assert.That(SpinWait.SpinUntil(
            () => handle.Receive(new byte[1], out _) == SocketError.ConnectionReset, _bound));

        Assert.That(handle.Socket, Is.Not.Null);
        Assert.That(handle.RemoteEndPoint, Is.EqualTo(remote));
        Assert.That(handle.Shutdown(SocketShutdown.Send), Is.EqualTo(SocketError.Success));
    }

    [Test]
    public void ClosedHandle_LeavesTheNextOwnerOfItsNumberAlone([Values] bool hasSocket)
    {
        (Handle handle, _) = Pair();
        nint number = Number(handle);
        Socket? socket = hasSocket ? handle.Socket : null;
        handle.Close();
        (Socket young, Socket far) = PairWithDescriptor(number);

        Assert.That(handle.Send([9], out _), Is.EqualTo(SocketError.OperationAborted));
        handle.Abort();
        handle.Close();
        handle.Dispose();
        socket?.Dispose();
        handle = null!;
        Collect();

        Assert.That(far.Poll(TimeSpan.Zero, SelectMode.SelectRead), Is.False);
        young.Send([7]);
        Assert.That(ReceiveAll(far, 1), Is.EqualTo(new byte[] { 7 }));
    }

    [Test]
    public void CallUnderWay_KeepsTheNumberOpen_WhileAnotherThreadDisposesTheSocket()
    {
        var handle = (EpollHandle)Pair().Handle;
        Socket socket = handle.Socket!;
        Assert.That(handle.TryHold(out int number));

        var disposal = Task.Run(socket.Dispose);
        Assert.That(SpinWait.SpinUntil(() => IsDisposed(socket), _bound));
        Assert.That(Path.Exists($"/proc/self/fd/{number}"), "still open");
        handle.Release();

        Assert.That(disposal.Wait(_bound));
        Assert.That(handle.TryHold(out _), Is.False);

        static bool IsDisposed(Socket socket)
        {
            try
            {
                return socket.Available < 0;
            }
            catch (ObjectDisposedException)
            {
                return true;
            }
        }
    }

    [Test]
    public void ForgottenHandle_IsClosedByTheCollector()
    {
        Handle listener = Listening(new IPEndPoint(IPAddress.Loopback, 0));
        Socket peer = Connect(listener.LocalEndPoint!);
        Forget(listener);

        Assert.That(
            () =>
            {
                Collect();
                return peer.Poll(TimeSpan.Zero, SelectMode.SelectRead);
            },
            Is.True.After(20_000, 1));
        Assert.That(peer.Receive(new byte[1]), Is.Zero);

        // Not inlined, so that no register holds the handle.
        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Forget(Handle listener)
        {
            Assert.That(listener.Socket!.Poll(_bound, SelectMode.SelectRead));
            Assert.That(listener.Accept(out _), Is.EqualTo(SocketError.Success));
        }
    }

    [Test]
    public void GatheredSend_OfMoreBuffersThanOneCallTakes_SendsAll([Values(31, 32, 33, 200)] int count)
    {
        (Handle handle, Socket peer) = Pair();
        byte[][] buffers = [.. Enumerable.Range(0, count).Select(static i => new[] { (byte)i, (byte)(i * 3) })];

        Assert.That(Send(handle, buffers), Is.EqualTo((SocketError.Success, 2 * count)));
        Assert.That(ReceiveAll(peer, 2 * count), Is.EqualTo(buffers.SelectMany(static bytes => bytes)));
    }

    [Test]
    public void GatheredSend_ThatFillsTheBuffer_IsShort_AndCountsWhatWent()
    {
        (Handle handle, Socket peer) = Pair();
        byte[][] buffers = [.. Enumerable.Range(0, 400).Select(static i => NewBuffer((byte)i))];

        (SocketError error, int sent) = Send(handle, buffers);
        Assert.That(error, Is.EqualTo(SocketError.Success));
        Assert.That(sent, Is.InRange(1, (400 * 65536) - 1));
        Assert.That(Send(handle, buffers), Is.EqualTo((SocketError.WouldBlock, 0)));

        Assert.That(ReceiveAll(peer, sent), Is.EqualTo(buffers.SelectMany(static bytes => bytes).Take(sent)));
    }

    [Test]
    public void GatheredSend_TakesAnyKindOfList()
    {
        (Handle handle, Socket peer) = Pair();
        ArraySegment<byte>[] array = [new([0, 1], 1, 1), default, new([2])];
        IList<ArraySegment<byte>>[] lists = [array, [.. array], new Collection<ArraySegment<byte>>(array)];

        foreach (IList<ArraySegment<byte>> list in lists)
        {
            Assert.That(handle.Send(list, out int sent), Is.EqualTo(SocketError.Success));
            Assert.That(sent, Is.EqualTo(2));
        }

        Assert.That(ReceiveAll(peer, 6), Is.EqualTo(new byte[] { 1, 2, 1, 2, 1, 2 }));
    }

    [Test]
    public void GatheredDatagram_IsOne_WhateverTheNumberOfBuffers([Values(2, 33, 100)] int count)
    {
        Handle receiver = Own(_handles.CreateDatagram(AddressFamily.InterNetwork));
        receiver.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Handle sender = Own(_handles.CreateDatagram(AddressFamily.InterNetwork));
        sender.Connect(receiver.LocalEndPoint!);

        byte[][] buffers = [.. Enumerable.Range(0, count).Select(static i => new[] { (byte)i })];
        Assert.That(Send(sender, buffers), Is.EqualTo((SocketError.Success, count)));

        Assert.That(receiver.Socket!.Poll(_bound, SelectMode.SelectRead));
        Assert.That(receiver.Receive(new byte[200], out int received), Is.EqualTo(SocketError.Success));
        Assert.That(received, Is.EqualTo(count));
    }

    [Test]
    public void AcceptWithoutAClient_ThrowsNothingInside()
    {
        Handle listener = Listening(new IPEndPoint(IPAddress.Loopback, 0));
        int thrown = 0, thread = Environment.CurrentManagedThreadId;
        void Count(object? sender, EventArgs e) => thrown += Environment.CurrentManagedThreadId == thread ? 1 : 0;

        AppDomain.CurrentDomain.FirstChanceException += Count;
        try
        {
            Assert.That(listener.Accept(out Handle? accepted), Is.EqualTo(SocketError.WouldBlock));
            Assert.That(accepted, Is.Null);
        }
        finally
        {
            AppDomain.CurrentDomain.FirstChanceException -= Count;
        }

        Assert.That(thrown, Is.Zero);
    }

    [Test]
    public void ClientOfATakenOverListener_LosesTheLingerTime()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            LingerState = new LingerOption(enable: true, seconds: 5),
        };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        Socket early = Connect(socket.LocalEndPoint!);
        Assert.That(socket.Poll(_bound, SelectMode.SelectRead));
        Handle listener = Own(_handles.Adopt(socket));

        Handle accepted = Accept(listener);

        Assert.That(accepted.RemoteEndPoint, Is.EqualTo(early.LocalEndPoint));
        Assert.That(accepted.Socket!.LingerState!.Enabled, Is.False);
    }

    private static IPEndPoint Mapped(EndPoint endPoint, bool isMapped)
    {
        var ip = (IPEndPoint)endPoint;
        return isMapped ? new IPEndPoint(ip.Address.MapToIPv6(), ip.Port) : ip;
    }

    private static (SocketError Error, int Sent) Send(Handle handle, params byte[][] buffers)
    {
        List<ArraySegment<byte>> list = [.. buffers.Select(static buffer => new ArraySegment<byte>(buffer))];
        return (handle.Send(list, out int sent), sent);
    }

    private static byte[] NewBuffer(byte value)
    {
        byte[] buffer = new byte[65536];
        Array.Fill(buffer, value);
        return buffer;
    }

    private static byte[] ReceiveAll(Socket socket, int count)
    {
        byte[] bytes = new byte[count];
        for (int done = 0; done < count;)
        {
            int some = socket.Receive(bytes.AsSpan(done));
            Assert.That(some, Is.Positive);
            done += some;
        }

        return bytes;
    }

    private static bool AcknowledgedSoon(Handle handle, long count) => SpinWait.SpinUntil(
        () => handle.TryGetAcknowledgedBytes(out long bytes) && bytes == count, _bound);

    private static nint Number(Handle handle)
    {
        var own = (EpollHandle)handle;
        Assert.That(own.TryHold(out int number));
        own.Release();
        return number;
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private string NewPath()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        Own(new FileOf(path));
        return path;
    }

    private Handle Listening(EndPoint endPoint, bool dualMode = false)
    {
        Handle listener = Own(_handles.CreateListener(endPoint.AddressFamily));
        if (dualMode)
        {
            listener.SetOption(SocketOptionLevel.IPv6, SocketOptionName.IPv6Only, 0);
        }

        Assert.That(listener.Bind(endPoint), Is.EqualTo(SocketError.Success));
        Assert.That(listener.Listen(16), Is.EqualTo(SocketError.Success));
        return listener;
    }

    private Socket Connect(EndPoint endPoint)
    {
        Socket socket = Own(new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        socket.ReceiveTimeout = (int)_bound.TotalMilliseconds;
        socket.Connect(endPoint);
        return socket;
    }

    private Handle Accept(Handle listener)
    {
        Handle? accepted = null;
        Assert.That(
            SpinWait.SpinUntil(() => listener.Accept(out accepted) != SocketError.WouldBlock, _bound));
        Assert.That(accepted, Is.Not.Null);
        return Own(accepted!);
    }

    private (Handle Handle, Socket Peer) Pair()
    {
        Handle listener = Listening(new IPEndPoint(IPAddress.Loopback, 0));
        Socket peer = Connect(listener.LocalEndPoint!);
        return (Accept(listener), peer);
    }

    private (Handle Handle, Socket Peer) AdoptedPair()
    {
        (Socket near, Socket far) = SocketPair();
        return (Own(_handles.Adopt(near)), far);
    }

    private (Socket Near, Socket Far) SocketPair()
    {
        Socket far = Connect(_listener.LocalEndPoint!);
        return (Own(_listener.Accept()), far);
    }

    // The kernel gives out the lowest free number.
    private (Socket Near, Socket Far) PairWithDescriptor(nint number)
    {
        for (int i = 0; i < 1000; i++)
        {
            (Socket near, Socket far) = SocketPair();
            if (near.SafeHandle.DangerousGetHandle() == number)
            {
                return (near, far);
            }

            if (far.SafeHandle.DangerousGetHandle() == number)
            {
                return (far, near);
            }
        }

        throw new AssertionException($"Nobody got the descriptor {number}.");
    }

    private T Own<T>(T owned)
        where T : IDisposable
    {
        _owned.Add(owned);
        return owned;
    }

    private sealed class FileOf(string path) : IDisposable
    {
        public void Dispose() => File.Delete(path);
    }
}
