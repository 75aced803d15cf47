using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>Outgoing connections from a given local address: each destination has all local ports.</summary>
public sealed class LocalPortTests(SelectorKind selector) : ReactorFixture(selector)
{
    /// <summary>IP_LOCAL_PORT_RANGE of Linux 6.3 and later, ip(7): the ports of one socket, which the test makes
    /// few.</summary>
    private const int LocalPortRange = 51;

    /// <summary>The ports of the range, and the connections to each destination: more than the half, so that two
    /// destinations need more than all, and fewer than all, since some other program may have one.</summary>
    private const int Ports = 16;
    private const int Connections = 12;

    [Test]
    public void PortZero_TakesNoPortFromOtherDestinations()
    {
        Assume.That(OperatingSystem.IsLinux());
        int first = FindFreePorts();
        byte[] range = BitConverter.GetBytes(((first + Ports - 1) << 16) | first);
        var handles = new RecordingHandles
        {
            Prepare = handle =>
                Assume.That(handle.SetOption(0, LocalPortRange, range), Is.EqualTo(SocketError.Success)),
        };
        using var reactor = new Reactor(Options(handles: handles));
        using Socket one = Peer.Listen();
        using Socket other = Peer.Listen();
        var options = new ConnectOptions { LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) };
        Task<Connection>[] attempts =
        [
            .. new[] { one, other }.SelectMany(server => Enumerable.Range(0, Connections).Select(
                _ => reactor.ConnectAsync(server.LocalEndPoint!, new ScriptedHandler(), options))),
        ];
        RunUntil(reactor, () => attempts.All(static attempt => attempt.IsCompleted));

        int[] used =
            [.. attempts.Select(static attempt => ((IPEndPoint)attempt.GetAwaiter().GetResult().LocalEndPoint!).Port)];
        Assert.That(used, Has.All.InRange(first, first + Ports - 1));
    }

    [Test]
    public void IPv6_LeavesThePortToTheConnect_AsWell()
    {
        Assume.That(Socket.OSSupportsIPv6);
        using var server = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
        server.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
        server.Listen();
        var options = new ConnectOptions { LocalEndPoint = new IPEndPoint(IPAddress.IPv6Loopback, 0) };
        Connection connection = RunUntil(Reactor.ConnectAsync(server.LocalEndPoint!, new ScriptedHandler(), options));

        Assert.That(((IPEndPoint)connection.LocalEndPoint!).Port, Is.Positive);
    }

    // Ports of connections that have just ended may be used again for another destination, so few of them do no harm.
    private static int FindFreePorts()
    {
        var system = IPGlobalProperties.GetIPGlobalProperties();
        HashSet<int> listening = [.. system.GetActiveTcpListeners().Select(static each => each.Port)];
        HashSet<int> used = [.. system.GetActiveTcpConnections().Select(static each => each.LocalEndPoint.Port)];
        int[] bounds = [.. File.ReadAllText("/proc/sys/net/ipv4/ip_local_port_range").Split(
            (char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(static text => int.Parse(
                text, CultureInfo.InvariantCulture))];
        return Enumerable.Range(0, (bounds[1] - bounds[0]) / Ports).Select(i => bounds[0] + (i * Ports))
            .Where(first => !Enumerable.Range(first, Ports).Any(listening.Contains))
            .MinBy(first => Enumerable.Range(first, Ports).Count(used.Contains));
    }
}
