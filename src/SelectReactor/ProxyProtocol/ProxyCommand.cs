namespace SelectReactor;

/// <summary>For whom a proxy has made a connection.</summary>
public enum ProxyCommand
{
    /// <summary>For itself, for example to check that the server works. The addresses are those of the connection.
    /// Version 1 of the protocol has no such command.</summary>
    Local,

    /// <summary>For a client, whose addresses the header tells unless they are unknown.</summary>
    Proxy,
}
