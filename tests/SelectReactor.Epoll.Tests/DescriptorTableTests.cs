using System.Globalization;
using System.Net.Sockets;

namespace SelectReactor.Epoll.Tests;

/// <summary>The kernel's table of descriptors, whose size it tells as FDSize (proc_pid_status(5)).</summary>
[Platform("Linux")]
public sealed class DescriptorTableTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(20);

    [Test]
    public void TableIsTwiceAsLargeAsTheWatchedDescriptorsNeed_BeforeTheyNeedIt()
    {
        const int Many = 2100;
        Assume.That(Read("/proc/self/limits", "Max open files"), Is.GreaterThanOrEqualTo(8192), "the limit");
        using var selector = EpollSelector.Create();
        List<Socket> sockets = [];
        try
        {
            Watch(selector, sockets);
            Assert.That(() => SizeIs(4096), Is.True, "after the first socket");

            while (sockets.Count < Many)
            {
                sockets.Add(new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
            }

            Watch(selector, sockets);
            Assert.That(() => SizeIs(8192), Is.True, "after one whose descriptor is past the half");
        }
        finally
        {
            sockets.ForEach(static socket => socket.Dispose());
        }
    }

    private static void Watch(ISelector selector, List<Socket> sockets)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        sockets.Add(socket);
        var entry = new SelectorEntry(new SocketHandle(socket), Interest.Read);
        selector.Add(entry);
        selector.Remove(entry);
    }

    private static bool SizeIs(long least) =>
        SpinWait.SpinUntil(() => Read("/proc/self/status", "FDSize:") >= least, _bound);

    private static long Read(string file, string name)
    {
        string line = File.ReadLines(file).First(line => line.StartsWith(name, StringComparison.Ordinal));
        string value = line[name.Length..].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[0];
        return value == "unlimited" ? long.MaxValue : long.Parse(value, CultureInfo.InvariantCulture);
    }
}
