using Microsoft.Extensions.Configuration;

namespace SelectReactor.Hosting;

/// <summary>The names in the section of some reactors, with those of their servers and clients.</summary>
internal static class ConfigurationNames
{
    private static readonly OptionNames _names = CreateNames();

    /// <summary>The classes of options that are checked.</summary>
    public static IReadOnlyCollection<Type> Types => _names.Types;

    /// <summary>What sets no option.</summary>
    /// <param name="registrations">The reactors that have the section.</param>
    /// <param name="all">All reactors of the host: several may share a section, or one may have a part of it.</param>
    public static IEnumerable<UnknownName> Find(Registrations registrations, IReadOnlyList<Registrations> all)
    {
        if (registrations.Configuration is not { } section)
        {
            return [];
        }

        IEnumerable<UnknownName> own = _names.Find(section, typeof(SelectReactorOptions), "Servers", "Clients")
            .Where(unknown => !all.Any(other => other.Configuration is IConfigurationSection { Path: var path }
                && $"{path}:".StartsWith($"{unknown.Path}:", StringComparison.OrdinalIgnoreCase)));
        return own
            .Concat(FindParts(section.GetSection("Servers"), registrations, all, "AddServer", isServer: true))
            .Concat(FindParts(
                section.GetSection("Clients"),
                registrations,
                all,
                "AddClient, AddReconnectingClient or AddConnectionPool",
                isServer: false));
    }

    private static IEnumerable<UnknownName> FindParts(
        IConfigurationSection section,
        Registrations registrations,
        IEnumerable<Registrations> all,
        string method,
        bool isServer)
    {
        foreach (IConfigurationSection part in section.GetChildren())
        {
            if (registrations.Find(part.Key, isServer) is { } own)
            {
                foreach (UnknownName unknown in _names.Find(part, own.Options))
                {
                    yield return unknown;
                }
            }
            else if (!all.Any(other => other.Find(part.Key, isServer) is not null))
            {
                // A program may add only some of the parts, but one that lacks its section is most likely meant.
                string? nearest = OptionNames.Nearest(part.Key, registrations.NamesOf(isServer)
                    .Where(name => !section.GetSection(name).Exists()));
                yield return nearest is null
                    ? new UnknownName(
                        part.Path, $"is not used: \"{part.Key}\" was not added with {method}.", IsError: false)
                    : new UnknownName(
                        part.Path,
                        $"is not used: \"{part.Key}\" was not added with {method}; do you mean \"{nearest}\"?",
                        IsError: true);
            }
        }
    }

    private static OptionNames CreateNames()
    {
        var names = new OptionNames();
        names.Add<SelectReactorOptions>();
        names.Add<ServerOptions>();
        names.Add<CertificateFileOptions>();
        names.Add<ClientOptions>();
        names.Add<ReconnectingClientOptions>();
        names.Add<PoolOptions>();
        return names;
    }
}
