using System.Globalization;

namespace SelectReactor.LoadTest.Load;

internal enum LoadMode
{
    /// <summary>Messages there and back over connections that stay.</summary>
    Echo,

    /// <summary>Connect, one message there and back, end, again and again.</summary>
    Accept,

    /// <summary>Many bytes through one connection, both ways at once.</summary>
    Bulk,

    /// <summary>Connections that were used once and then say nothing.</summary>
    Idle,

    /// <summary>Clients that connect all at once, beside connections that talk.</summary>
    Storm,

    /// <summary>Datagrams there and back.</summary>
    Datagrams,
}

internal enum LoadTls
{
    /// <summary>No TLS.</summary>
    None,

    /// <summary>Each connection makes a full handshake.</summary>
    Full,

    /// <summary>A connection resumes a session of an earlier one, if there is one.</summary>
    Resumed,
}

/// <summary>What a load generator is to do.</summary>
internal sealed record LoadOptions
{
    public required LoadMode Mode { get; init; }

    public int Port { get; init; }

    /// <summary>The process whose processor time and memory are measured; 0 for none.</summary>
    public int ServerPid { get; init; }

    /// <summary>The connections that carry messages; in accept mode, how many are in the making at a time.</summary>
    public int Connections { get; init; } = 1;

    /// <summary>Further connections that say nothing.</summary>
    public int Idle { get; init; }

    /// <summary>Further connections that send as much as they can and are not measured.</summary>
    public int Flooding { get; init; }

    /// <summary>In storm mode, how many clients connect all at once.</summary>
    public int Storm { get; init; }

    /// <summary>In storm mode, whether they come to a server that has just started, with neither warm-up nor a quiet
    /// time before.</summary>
    public bool Fresh { get; init; }

    /// <summary>How many messages a connection has in flight.</summary>
    public int Depth { get; init; } = 1;

    /// <summary>Bytes in a message.</summary>
    public int Size { get; init; } = 32;

    /// <summary>In bulk mode, how many bytes go each way.</summary>
    public long Bytes { get; init; } = 1L << 30;

    /// <summary>In echo, accept, bulk and idle mode.</summary>
    public LoadTls Tls { get; init; }

    public double Seconds { get; init; } = 3;

    public double Warmup { get; init; } = 1;

    /// <summary>In echo mode, how often the seconds are measured, one after the other.</summary>
    public int Intervals { get; init; } = 1;

    /// <summary>The command line of the child process.</summary>
    public IEnumerable<string> ToArguments()
    {
        yield return "load";
        yield return $"{Mode}".ToLowerInvariant();
        foreach ((string name, IFormattable value) in new (string, IFormattable)[]
        {
            ("--port", Port),
            ("--server-pid", ServerPid),
            ("--connections", Connections),
            ("--idle", Idle),
            ("--flooding", Flooding),
            ("--storm", Storm),
            ("--depth", Depth),
            ("--size", Size),
            ("--bytes", Bytes),
            ("--seconds", Seconds),
            ("--warmup", Warmup),
        })
        {
            yield return name;
            yield return value.ToString(null, CultureInfo.InvariantCulture);
        }

        if (Tls != LoadTls.None)
        {
            yield return "--tls";
            yield return $"{Tls}";
        }

        if (Fresh)
        {
            yield return "--fresh";
        }
    }
}
