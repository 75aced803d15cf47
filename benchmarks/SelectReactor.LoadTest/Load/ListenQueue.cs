using System.Globalization;

namespace SelectReactor.LoadTest.Load;

/// <summary>The counters of this network namespace for full queues of listeners: TcpExtListenOverflows and
/// TcpExtListenDrops of nstat(8).</summary>
internal static class ListenQueue
{
    private const string Group = "TcpExt:";

    public static (long Overflows, long Drops) Read()
    {
        // A line of names, then one of values.
        string[][] lines =
        [
            .. File.ReadLines("/proc/net/netstat")
                .Where(line => line.StartsWith(Group, StringComparison.Ordinal))
                .Select(line => line.Split(' ')),
        ];
        return (Find("ListenOverflows"), Find("ListenDrops"));

        long Find(string name) =>
            long.Parse(lines[1][Array.IndexOf(lines[0], name)], CultureInfo.InvariantCulture);
    }
}
