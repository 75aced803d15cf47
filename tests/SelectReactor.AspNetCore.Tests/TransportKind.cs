namespace SelectReactor.AspNetCore.Tests;

/// <summary>What a test runs on. Kestrel's own transport shows what is expected.</summary>
public enum TransportKind
{
    Pool,
    Inline,
    Sockets,
}
