using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using static SelectReactor.Hosting.Tests.TestHost;

namespace SelectReactor.Hosting.Tests;

/// <summary>A server on all addresses, where the system has no IPv6.</summary>
public sealed class AnyAddressTests
{
    [Test]
    public async Task WithoutIPv6_AServerOnAllAddresses_ListensOnThoseOfIPv4()
    {
        using IHost host = BuildWithoutIPv6("*:0");
        await host.StartAsync();
        var listening = (IPEndPoint)Listening(host, "greet");
        using var client = new Client(new IPEndPoint(IPAddress.Loopback, listening.Port));

        Assert.That(client.Ask("you"), Does.StartWith("hello "));
        Assert.That(listening.Address, Is.EqualTo(IPAddress.Any));
        await host.StopAsync();
    }

    [Test]
    public void WithoutIPv6_AServerOnOneOfItsAddresses_FailsTheStart()
    {
        using IHost host = BuildWithoutIPv6("[::1]:0");

        Assert.That(
            async () => await host.StartAsync(),
            Throws.InvalidOperationException.With.Message.StartsWith("The server \"greet\" did not start."));
    }

    private static IHost BuildWithoutIPv6(string endPoint) => Build(services => services
        .AddSingleton(new Greeting("hello"))
        .AddSelectReactor(static options => options.Group.Reactor.HandleFactory = new IPv4Factory())
        .AddServer<GreetingHandler>("greet", options => options.EndPoint = endPoint));

    private sealed class IPv4Factory : IHandleFactory
    {
        private static readonly IHandleFactory _system = new ReactorOptions().HandleFactory;

        public Handle CreateStream(AddressFamily family) => _system.CreateStream(Known(family));

        public Handle CreateListener(AddressFamily family) => _system.CreateListener(Known(family));

        private static AddressFamily Known(AddressFamily family) => family == AddressFamily.InterNetworkV6
            ? throw new SocketException((int)SocketError.AddressFamilyNotSupported)
            : family;
    }
}
