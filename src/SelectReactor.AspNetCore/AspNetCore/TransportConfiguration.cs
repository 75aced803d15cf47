using Microsoft.Extensions.Configuration;
using SelectReactor.Hosting;

namespace SelectReactor.AspNetCore;

/// <summary>A section of the configuration with the options of the transport.</summary>
internal sealed class TransportConfiguration(IConfiguration section)
{
    private static readonly OptionNames _names = CreateNames();

    /// <summary>The classes of options that are checked.</summary>
    public static IReadOnlyCollection<Type> Types => _names.Types;

    /// <summary>What sets no option.</summary>
    public IEnumerable<UnknownName> Find() => _names.Find(section, typeof(SelectReactorTransportOptions));

    /// <exception cref="InvalidOperationException">A name is misspelt, or a value is not allowed.</exception>
    public void Set(SelectReactorTransportOptions options)
    {
        UnknownName.Verify(Find());

        // It may be an object that the program has set for several hosts.
        options.Group = options.Group.Clone();
        ConfigurationFault.Guard(section, () => section.Bind(options));
    }

    private static OptionNames CreateNames()
    {
        var names = new OptionNames();
        names.Add<SelectReactorTransportOptions>();
        return names;
    }
}
