namespace SelectReactor;

/// <summary>The two forms of a PROXY header (the PROXY protocol's specification by HAProxy, section 2).</summary>
public enum ProxyProtocolVersion
{
    /// <summary>A line of text of at most 107 bytes, with TCP addresses only.</summary>
    Version1 = 1,

    /// <summary>A binary block, which may also carry Unix-domain addresses and facts about the client
    /// (<see cref="ProxyTlv"/>).</summary>
    Version2 = 2,
}
