using System.Globalization;

namespace SelectReactor.LoadTest.Load;

/// <summary>What a connection costs in memory that was used once and is idle since.</summary>
internal static class IdleLoad
{
    // Enough for the server to have compiled its code, in all tiers, and grown its first buffers before the first
    // look: what a compiler needs is no cost of a connection.
    private const int FirstConnections = 256;
    private const int FirstLoads = 4;
    private static readonly TimeSpan _settling = TimeSpan.FromSeconds(1);

    public static LoadResult Run(LoadOptions options)
    {
        if (options.ServerPid == 0)
        {
            throw new LoadTestException("idle mode needs --server-pid");
        }

        var meter = new Meter(options);
        for (int i = 0; i < FirstLoads; i++)
        {
            Open(options, FirstConnections).Invoke();
            Thread.Sleep(_settling);
        }

        long before = ReadResidentBytes(options.ServerPid);

        meter.Start();
        Action close = Open(options, options.Idle);
        Thread.Sleep(_settling);
        long after = ReadResidentBytes(options.ServerPid);
        LoadResult result = meter.Stop(options.Idle, 0) with
        {
            ResidentBefore = before,
            ResidentAfter = after,
            IdleConnections = options.Idle,
        };
        close();
        return result;
    }

    // What it returns closes them.
    private static Action Open(LoadOptions options, int count)
    {
        if (options.Tls != LoadTls.None)
        {
            TlsClient[] clients = TlsClient.OpenManyAsync(options, count).GetAwaiter().GetResult();
            return () => Array.ForEach(clients, client => client.Dispose());
        }

        int[] descriptors = ClientSocket.OpenChecked(options.Port, count);
        return () => ClientSocket.Reset(descriptors);
    }

    // VmRSS of /proc/PID/status is the same figure, but the kernel lets it lag behind; this one it counts on the spot.
    private static long ReadResidentBytes(int process)
    {
        const string Prefix = "Rss:";
        string line = File.ReadLines($"/proc/{process}/smaps_rollup").First(
            line => line.StartsWith(Prefix, StringComparison.Ordinal));
        string kilobytes = line[Prefix.Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
        return long.Parse(kilobytes, CultureInfo.InvariantCulture) * 1024;
    }
}
