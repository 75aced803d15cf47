using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Numerics;

namespace SelectReactor.Epoll.Tests;

/// <summary>Listening sockets that several reactors watch, and threads that are bound to a processor.</summary>
[Platform("Linux")]
public sealed class SharedListenerTests
{
    /// <summary>EPOLLEXCLUSIVE.</summary>
    private const uint Exclusive = 1u << 28;

    private static readonly IHandleFactory _handles = new ReactorOptions().UseEpoll().HandleFactory;
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(20);

    [Test]
    public void ASharedListener_IsWatchedExclusively_WhateverItsInterest()
    {
        using Handle listener = Listening();
        using Handle share = listener.ShareListener()!;
        using ISelector selector = EpollSelector.Create();
        var entry = new SelectorEntry(share, Interest.Read);
        selector.Add(entry);
        int descriptor = (int)((EpollHandle)share).Socket!.Handle;
        Assert.That(Watched(descriptor), Is.EqualTo(new[] { Native.In | Exclusive }));

        // Modifying it is an error of epoll_ctl(2).
        Change(selector, entry, Interest.Read | Interest.Write);
        Assert.That(Watched(descriptor), Is.EqualTo(new[] { Native.In | Native.Out | Exclusive }));
        Change(selector, entry, Interest.None);
        Assert.That(Watched(descriptor), Is.Empty);
        Change(selector, entry, Interest.Read);
        Assert.That(Watched(descriptor), Is.EqualTo(new[] { Native.In | Exclusive }));
        selector.Remove(entry);
    }

    [Test]
    public void OneHandleClosed_TheOtherAcceptsOn()
    {
        using Handle listener = Listening();
        using Handle share = listener.ShareListener()!;
        EndPoint endPoint = listener.LocalEndPoint!;
        Assert.That(share.LocalEndPoint, Is.EqualTo(endPoint));
        using Socket peer = Connect(endPoint);

        listener.Close();

        Assert.That(share.Accept(out Handle? accepted), Is.EqualTo(SocketError.Success));
        Assert.That(accepted!.RemoteEndPoint, Is.EqualTo(peer.LocalEndPoint));
        accepted.Close();
    }

    // The client is there when both are woken, and gone when the second one accepts.
    [Test]
    public void ALostRace_IsWouldBlock()
    {
        using Handle listener = Listening();
        using Handle share = listener.ShareListener()!;
        using Socket peer = Connect(listener.LocalEndPoint!);

        Assert.That(listener.Accept(out Handle? accepted), Is.EqualTo(SocketError.Success));
        Assert.That(share.Accept(out Handle? none), Is.EqualTo(SocketError.WouldBlock));

        Assert.That(none, Is.Null);
        accepted!.Close();
    }

    [Test]
    public void AClosedListener_CannotBeShared()
    {
        Handle listener = Listening();
        listener.Close();

        Assert.That(listener.ShareListener(), Is.Null);
        using Handle datagram = _handles.CreateDatagram(AddressFamily.InterNetwork);
        Assert.That(datagram.ShareListener(), Is.Null);
    }

    [Test]
    public void PinToProcessors_BindsEachThreadToOneThatTheProcessMayUse()
    {
        ulong[] allowed = ProcessorAffinity.Allowed();
        int count = allowed.Sum(static word => BitOperations.PopCount(word));
        using var group = new ReactorGroup(count + 1, new ReactorGroupOptions().UseEpoll().PinToProcessors());
        ulong[][] masks =
        [
            .. group.Reactors.Select(static reactor =>
                reactor.InvokeAsync(ProcessorAffinity.Allowed).WaitAsync(_bound).Result),
        ];

        Assert.That(
            masks.Select(static mask => mask.Sum(static word => BitOperations.PopCount(word))), Is.All.EqualTo(1));
        Assert.That(masks.Take(count).Select(static mask => string.Join(' ', mask)), Is.Unique);
        Assert.That(masks[^1], Is.EqualTo(masks[0]), "begins again");
        ulong[] all = [.. allowed.Select((_, word) => masks.Aggregate(0UL, (sum, mask) => sum | mask[word]))];
        Assert.That(all, Is.EqualTo(allowed));
        Assert.That(ProcessorAffinity.Allowed(), Is.EqualTo(allowed), "the thread that made the group");
    }

    private static void Change(ISelector selector, SelectorEntry entry, Interest interest)
    {
        Interest before = entry.Interest;
        entry.Interest = interest;
        selector.Update(entry, before);
    }

    private static Handle Listening()
    {
        Handle listener = _handles.CreateListener(AddressFamily.InterNetwork);
        Assert.That(listener.Bind(new IPEndPoint(IPAddress.Loopback, 0)), Is.EqualTo(SocketError.Success));
        Assert.That(listener.Listen(16), Is.EqualTo(SocketError.Success));
        return listener;
    }

    private static Socket Connect(EndPoint endPoint)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(endPoint);
        return socket;
    }

    // proc_pid_fdinfo(5): "tfd: 7 events: 10000001 data: ..." in the file of an epoll descriptor, without the bits for
    // errors and hang-ups that the kernel adds.
    private static uint[] Watched(int descriptor) =>
    [
        .. Directory.GetFiles("/proc/self/fdinfo")
            .SelectMany(ReadLines)
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words is ["tfd:", var target, "events:", ..] && target == $"{descriptor}")
            .Select(static words => uint.Parse(words[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture))
            .Select(static events => events & ~(Native.Error | Native.HangUp)),
    ];

    private static string[] ReadLines(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (IOException)
        {
            // Closed meanwhile.
            return [];
        }
    }
}
