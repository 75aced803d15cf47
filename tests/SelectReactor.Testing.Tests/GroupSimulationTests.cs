using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

/// <summary>A group of reactors on one host.</summary>
public sealed class GroupSimulationTests : TwoHosts
{
    [Test]
    public void EachWayToShare_ServesAllClients([Values] ClientSharing sharing)
    {
        ReactorGroup group = Server.AddGroup(3, new ReactorGroupOptions { Sharing = sharing });
        Task<GroupListener> listening = group.ListenAsync(Server.EndPoint(7), new Echo());
        Network.RunUntil(() => listening.IsCompleted);

        Sender[] senders = [.. Enumerable.Range(0, 30).Select(static _ => new Sender("hello"u8.ToArray()))];
        foreach (Sender sender in senders)
        {
            Client.Reactor.ConnectAsync(Server.EndPoint(7), sender);
        }

        Network.RunUntil(() => group.Statistics.Connections == 30);
        IReadOnlyList<int> counts = group.Statistics.ConnectionsOfReactors;
        if (sharing is ClientSharing.LeastConnections or ClientSharing.RoundRobin)
        {
            Assert.That(counts, Is.All.EqualTo(10));
        }
        else
        {
            Assert.That(counts, Is.All.GreaterThan(3), $"{group.Statistics}");
        }

        Network.RunUntil(() => senders.All(static sender => sender.IsClosed));
        Assert.That(senders.Select(static sender => sender.Received), Is.All.EqualTo("hello"u8.ToArray()));
    }

    [Test]
    public void ASharedSocket_StaysOpenUntilItsLastHandleCloses()
    {
        Handle first = Server.Handles.CreateListener(Server.Address.AddressFamily);
        first.Bind(Server.EndPoint(7));
        first.Listen(10);
        using Handle second = first.ShareListener()!;
        first.Close();
        Handle client = Client.Handles.CreateStream(Server.Address.AddressFamily);
        client.Connect(Server.EndPoint(7));
        Network.RunFor(Second);

        Assert.That(second.Accept(out Handle? accepted), Is.EqualTo(System.Net.Sockets.SocketError.Success));
        accepted!.Close();
        client.Close();
        second.Close();
        Network.RunFor(Second);
        Assert.That(Server.OpenDescriptors, Is.Zero);
        Assert.That(second.ShareListener(), Is.Null);
    }

    [Test]
    public void OneReactor_CanBeStalled_AndTheOthersGoOn()
    {
        ReactorGroup group = Server.AddGroup(2);
        List<(int Reactor, TimeSpan At)> ran = [];
        Server.Stall(group.Reactors[1], 10 * Second);
        for (int i = 0; i < 2; i++)
        {
            int index = i;
            group.Reactors[i].Post(() => ran.Add((index, Network.Clock.Elapsed)));
        }

        Network.RunFor(11 * Second);

        Assert.That(ran.Select(static one => one.Reactor), Is.EqualTo(new[] { 0, 1 }));
        Assert.That(ran[0].At, Is.LessThan(Second));
        Assert.That(ran[1].At, Is.EqualTo(10 * Second).Within(TimeSpan.FromMilliseconds(1)));
        Assert.That(() => Server.Stall(Client.Reactor, Second), Throws.ArgumentException);
    }

    [Test]
    public void ACallbackThatSpendsTime_KeepsItsOwnReactorOnly()
    {
        ReactorGroup group = Server.AddGroup(2);
        var other = TimeSpan.MaxValue;
        group.Reactors[0].Post(() => Server.Spend(5 * Second));
        group.Reactors[1].Schedule(Second, () => other = Network.Clock.Elapsed);

        Network.RunFor(6 * Second);

        Assert.That(other, Is.EqualTo(Second).Within(TimeSpan.FromMilliseconds(1)));
    }

    [Test]
    public void ALoopThatFails_EndsItsConnections_AndTheOthersServeOn([Values] ClientSharing sharing)
    {
        var fault = new IOException("epoll_wait failed.");
        ReactorGroup group = Server.AddGroup(3, new ReactorGroupOptions { Sharing = sharing });
        Task<GroupListener> listening = group.ListenAsync(Server.EndPoint(7), new Echo());
        Network.RunUntil(() => listening.IsCompleted);
        Sender[] before = Send(30);
        Network.RunUntil(() => group.Statistics.Connections == 30);
        int onFirst = group.Statistics.ConnectionsOfReactors[0];

        Server.FailLoop(group.Reactors[0], fault);
        Sender[] after = Send(30);
        Network.RunUntil(() => before.Concat(after).All(static sender => sender.IsClosed));

        Assert.That(group.FirstFault.Exception?.InnerException, Is.SameAs(fault));
        Assert.That(group.Reactors[0].State, Is.EqualTo(ReactorState.Failed));
        Assert.That(after.Select(static sender => sender.Received), Is.All.EqualTo("hello"u8.ToArray()));
        Assert.That(before.Count(static sender => sender.Received.Count == 5), Is.AtLeast(30 - onFirst));
        Assert.That(listening.Result.IsAccepting);
        Assert.That(() => Server.FailLoop(Client.Reactor, fault), Throws.ArgumentException);
        Assert.That(() => Server.FailLoop(group.Reactors[1], null!), Throws.ArgumentNullException);

        Sender[] Send(int count)
        {
            Sender[] senders = [.. Enumerable.Range(0, count).Select(static _ => new Sender("hello"u8.ToArray()))];
            Array.ForEach(senders, sender => _ = Client.Reactor.ConnectAsync(Server.EndPoint(7), sender));
            return senders;
        }
    }

    [Test]
    public void AnExceptionOfAHandler_FailsTheRun()
    {
        ReactorGroup group = Server.AddGroup(2);
        Task<GroupListener> listening = group.ListenAsync(
            Server.EndPoint(7), _ => throw new InvalidDataException("the handler"));
        Network.RunUntil(() => listening.IsCompleted);
        Client.Reactor.ConnectAsync(Server.EndPoint(7), new Sender("x"u8.ToArray()));

        Assert.That(() => Network.RunFor(Second), Throws.TypeOf<InvalidDataException>());
    }

    [Test]
    public void AGroup_HasItsOwnLimit_AndItsArgumentsAreChecked()
    {
        ReactorGroup group = Server.AddGroup(2, new ReactorGroupOptions { MaxConnections = 3 });
        Task<GroupListener> listening = group.ListenAsync(Server.EndPoint(7), new Echo());
        Network.RunUntil(() => listening.IsCompleted);
        for (int i = 0; i < 5; i++)
        {
            Client.Reactor.ConnectAsync(Server.EndPoint(7), new Echo());
        }

        Network.RunFor(Second);
        Assert.That(group.Statistics.Connections, Is.EqualTo(3));
        Assert.That(() => Server.AddGroup(0), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => Server.AddGroup(1, null!), Throws.ArgumentNullException);
    }
}
