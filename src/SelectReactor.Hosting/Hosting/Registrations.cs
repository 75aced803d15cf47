namespace SelectReactor.Hosting;

/// <summary>The servers and clients that were added to one <see cref="SelectReactorBuilder"/>, by their
/// names.</summary>
internal sealed class Registrations
{
    public Dictionary<string, Type> Servers { get; } = [];

    public Dictionary<string, Type> Clients { get; } = [];

    public Dictionary<string, Type> ReconnectingClients { get; } = [];

    public HashSet<string> Pools { get; } = [];
}
