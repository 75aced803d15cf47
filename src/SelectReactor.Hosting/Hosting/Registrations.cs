using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace SelectReactor.Hosting;

/// <summary>The servers, clients and pools that were added to one <see cref="SelectReactorBuilder"/>.</summary>
internal sealed class Registrations(IConfiguration? configuration)
{
    private readonly List<Registration> _all = [];

    /// <summary>The section that they are configured in. Null if there is none.</summary>
    public IConfiguration? Configuration { get; } = configuration;

    public void Add(Registration part) => _all.Add(part);

    /// <summary>Those with a class of options: one class for each kind.</summary>
    public IEnumerable<Registration> Of<TOptions>() => _all.Where(static part => part.Options == typeof(TOptions));

    /// <summary>A server, or a client or pool. Names differ in more than upper and lower case, as in
    /// configuration.</summary>
    /// <returns>Null if there is none of this name.</returns>
    public Registration? Find(string name, bool isServer) => _all.Find(part =>
        part.IsServer == isServer && part.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Lets the container make the clients and pools that wait for their connections when they are disposed
    /// of.</summary>
    public void MakeServices(IServiceProvider services)
    {
        foreach (Registration part in _all)
        {
            _ = part.Options == typeof(ReconnectingClientOptions)
                ? services.GetKeyedService<ReconnectingClient>(part.Name)
                : part.Options == typeof(PoolOptions)
                ? services.GetKeyedService<ConnectionPool>(part.Name)
                : (object?)null;
        }
    }

    public IEnumerable<string> NamesOf(bool isServer) =>
        _all.Where(part => part.IsServer == isServer).Select(static part => part.Name);
}

/// <summary>A server, a client or a pool.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Options">The class of its options.</param>
/// <param name="Handler">The type of its handlers. Null for a pool.</param>
internal sealed record Registration(string Name, Type Options, Type? Handler)
{
    public bool IsServer => Options == typeof(ServerOptions);
}
