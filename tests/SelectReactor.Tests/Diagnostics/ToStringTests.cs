using System.Diagnostics;
using Moq;

namespace SelectReactor.Tests.Diagnostics;

/// <summary>The texts that people see in the debugger and in logs.</summary>
public sealed class ToStringTests : MeterFixture
{
    [Test]
    public void Texts_SayWhatAThingIsAndHowItIs()
    {
        Listener listener = Listen();
        Connect();
        ReactorTimer timer = Server.Reactor.SchedulePeriodic(TimeSpan.FromHours(1), TimeSpan.FromHours(2), () => { });
        Assert.That($"{Server.Reactor}", Is.EqualTo("Reactor: not running, 1 connections"));
        Assert.That($"{listener}", Is.EqualTo("Listener on 10.0.0.1:7"));
        Assert.That(
            $"{ServerHandler.Connection}", Does.Match(@"^Connection 1: 10\.0\.0\.1:7 to 10\.0\.0\.2:\d+, Open$"));
        Assert.That($"{timer}", Is.EqualTo("Timer: active, each 02:00:00"));

        timer.Cancel();
        MessageDecoder<string> decoder = Mock.Of<MessageDecoder<string>>();
        Assert.That($"{timer}", Is.EqualTo("Timer: idle, each 02:00:00"));
        Assert.That($"{new ConnectionGroup(Server.Reactor)}", Is.EqualTo("Group of 0 connections"));
        Assert.That(
            $"{new ConnectionPool(Server.Reactor, Client.EndPoint(9))}",
            Is.EqualTo("Pool to 10.0.0.2:9: 0 rented, 0 idle, 0 connecting, 0 waiting"));
        Assert.That(
            $"{new ReconnectingClient(Server.Reactor, Client.EndPoint(9), ServerHandler)}",
            Is.EqualTo("Client of 10.0.0.2:9: Idle"));
        Assert.That(
            $"{new RequestClient<string, string>(Server.Reactor, Mock.Of<MessageEncoder<string>>(), decoder)}",
            Is.EqualTo("Request client: 0 in flight, 0 waiting"));
    }

    [Test]
    public void Group_SaysWhatItsReactorsDo()
    {
        using var group = new ReactorGroup(2);
        Assert.That($"{group}", Is.EqualTo("Group of 2 reactors: 0 connections (0, 0), 0 accepted, 0 refused"));
        Assert.That(
            group.Dump(),
            Does.Match(@"^Group of 2 reactors: .*\n1\. Reactor: running, 0 connections\n(.*\n)+2\. Reactor: running"));
    }

    [TestCase(typeof(Reactor))]
    [TestCase(typeof(ReactorThread))]
    [TestCase(typeof(ReactorGroup))]
    [TestCase(typeof(Listener))]
    [TestCase(typeof(GroupListener))]
    [TestCase(typeof(Connection))]
    [TestCase(typeof(ConnectionGroup))]
    [TestCase(typeof(ConnectionPool))]
    [TestCase(typeof(ReconnectingClient))]
    [TestCase(typeof(RequestClient<,>))]
    [TestCase(typeof(DatagramSocket))]
    [TestCase(typeof(ReactorTimer))]
    [TestCase(typeof(SelectionKey))]
    [TestCase(typeof(SelectorEntry))]
    public void Debugger_ShowsTheText(Type type)
    {
        var attribute = Attribute.GetCustomAttribute(type, typeof(DebuggerDisplayAttribute));
        Assert.That((attribute as DebuggerDisplayAttribute)?.Value, Is.EqualTo("{ToString(),nq}"));
    }
}
