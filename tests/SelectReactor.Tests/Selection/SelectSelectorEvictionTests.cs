using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Selection;

/// <summary>Sockets that were closed behind the selector's back, and descriptors that are used again.</summary>
public sealed class SelectSelectorEvictionTests : SelectorFixture
{
    /// <summary>Their descriptors are closed already, and the numbers may be others' by now.</summary>
    private static readonly List<Socket> _neverClosed = [];

    [Test]
    public void AClosedSocket_IsReportedOnceAsEvicted_AndTheOthersGoOn(
        [Values(Interest.Read, Interest.Write, Interest.Read | Interest.Write, Interest.Connect)] Interest interest)
    {
        (SocketHandle other, Peer peer) = Connected();
        SelectionKey otherKey = Register(other, Interest.Read);
        SocketHandle closed = Connected().Handle;
        SelectionKey key = Register(closed, interest);
        (SocketHandle last, _) = Connected();
        SelectionKey lastKey = Register(last, Interest.Read);
        closed.Socket.Dispose();

        SelectSome();

        Assert.That(Ready, Is.EqualTo(new[] { key }));
        Assert.That((key.IsEvicted, key.Ready), Is.EqualTo((true, interest)));
        AssertNothingIsReady();
        peer.Send([1]);
        SelectSome();
        Assert.That(Ready, Is.EqualTo(new[] { otherKey }));
        Assert.That(lastKey.IsEvicted, Is.False);
    }

    [Test]
    public void SeveralClosedAtOnce_AreAllEvicted()
    {
        var keys = new List<SelectionKey>();
        for (int i = 0; i < 20; i++)
        {
            keys.Add(Register(Connected().Handle, i % 2 == 0 ? Interest.Read : Interest.Read | Interest.Write));
        }

        SelectionKey[] victims = [.. keys.Where((_, i) => i % 3 == 0)];
        foreach (SelectionKey victim in victims)
        {
            victim.Handle.Close();
        }

        SelectSome();

        Assert.That(Ready, Is.EquivalentTo(victims));
        keys.ForEach(static key => key.Cancel());
        AssertNothingIsReady();
    }

    [Test]
    public void ADescriptorClosedUnderneath_IsFoundAndEvicted_AndTheOthersGoOn(
        [Values(Interest.Read, Interest.Write)] Interest interest)
    {
        using Socket listener = Peer.Listen();
        using var far = Peer.Connect(EndPointOf(listener));
        Socket socket = listener.Accept();
        SelectionKey culprit = Register(new SocketHandle(socket), interest);
        (SocketHandle good, Peer peer) = Connected();
        SelectionKey key = Register(good, Interest.Read);

        _neverClosed.Add(socket);
        new SafeSocketHandle(socket.SafeHandle.DangerousGetHandle(), ownsHandle: true).Dispose();
        for (int selects = 0; !culprit.IsEvicted; selects++)
        {
            Assert.That(selects, Is.LessThan(2_000), "until it is found");
            Select(Bound);
        }

        Assert.That(Ready, Is.EqualTo(new[] { culprit }));
        peer.Send([1]);
        SelectSome();
        Assert.That(Ready, Is.EqualTo(new[] { key }));
    }

    [Test]
    public void AnEvictedKey_CanBeUsedWithoutHarm()
    {
        (SocketHandle other, Peer peer) = Connected();
        SelectionKey otherKey = Register(other, Interest.Read);
        SocketHandle closed = Connected().Handle;
        SelectionKey key = Register(closed, Interest.Read);
        closed.Close();
        SelectSome();

        key.Interest = Interest.None;
        key.Interest = Interest.Read | Interest.Write;
        AssertNothingIsReady();
        key.Cancel();
        key.Cancel();

        peer.Send([1]);
        SelectSome();
        Assert.That(Ready, Is.EqualTo(new[] { otherKey }));
    }

    [Test]
    public void ADescriptorUsedAgain_IsNotTakenForTheOldKey()
    {
        const int MostFree = 64;
        (SocketHandle old, Peer oldPeer) = Connected();
        SelectionKey oldKey = Register(old, Interest.Read);
        using Socket listener = Peer.Listen(MostFree);
        Peer[] peers = [.. Enumerable.Range(0, MostFree).Select(_ => Own(Peer.Connect(EndPointOf(listener))))];
        oldPeer.Send([1]);
        SelectSome();
        nint descriptor = old.Socket.Handle;
        oldKey.Cancel();
        old.Close();

        // The lowest free descriptor is given out first, and that is soon the old one.
        SocketHandle handle;
        int accepted = 0;
        do
        {
            handle = Own(new SocketHandle(listener.Accept()));
            accepted++;
        }
        while (handle.Socket.Handle != descriptor);

        Peer peer = peers[accepted - 1];
        SelectionKey key = Register(handle, Interest.Read);
        AssertNothingIsReady();
        peer.Send([2]);
        SelectSome();

        Assert.That(Ready, Is.EqualTo(new[] { key }));
        Assert.That(oldKey.Ready, Is.EqualTo(Interest.None));
    }

    [Test]
    public void ASocketClosedByAnotherThreadDuringTheWait_EndsItOrIsEvictedNext()
    {
        (SocketHandle closed, _) = Connected();
        SelectionKey key = Register(closed, Interest.Read);
        var closer = new Thread(closed.Socket.Dispose);
        closer.Start();

        while (!key.IsEvicted)
        {
            SelectSome();
        }

        closer.Join();
        Assert.That(Ready, Is.EqualTo(new[] { key }));
        AssertNothingIsReady();
    }
}
