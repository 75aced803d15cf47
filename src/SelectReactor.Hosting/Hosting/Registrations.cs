using Microsoft.Extensions.Configuration;

namespace SelectReactor.Hosting;

/// <summary>The servers and clients that were added to one <see cref="SelectReactorBuilder"/>, by their
/// names.</summary>
internal sealed class Registrations(IConfiguration? configuration)
{
    /// <summary>The section that they are configured in. Null if there is none.</summary>
    public IConfiguration? Configuration { get; } = configuration;

    public Dictionary<string, Type> Servers { get; } = [];

    public Dictionary<string, Type> Clients { get; } = [];

    public Dictionary<string, Type> ReconnectingClients { get; } = [];

    public HashSet<string> Pools { get; } = [];
}
