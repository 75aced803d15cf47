using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace SelectReactor.Hosting;

/// <summary>
/// Finds the names in a section of the configuration that set no option. Binding ignores them. Mistakes, most likely,
/// are a misspelt option, one that stands at another place, and one that only code can set. The others may be there
/// for code of the program.
/// </summary>
internal sealed class OptionNames
{
    private const DynamicallyAccessedMemberTypes Properties = DynamicallyAccessedMemberTypes.PublicProperties;
    private readonly Dictionary<Type, PropertyInfo[]> _types = [];

    public OptionNames()
    {
        Add<ReactorGroupOptions>();
        Add<ReactorOptions>();
        Add<ListenerOptions>();
        Add<ConnectionOptions>();
        Add<ConnectOptions>();
        Add<ReconnectOptions>();
        Add<ConnectionPoolOptions>();
        Add<TlsServerOptions>();
        Add<TlsClientOptions>();
        Add<ProxyProtocolOptions>();
    }

    /// <summary>The classes of options that it knows.</summary>
    public IReadOnlyCollection<Type> Types => _types.Keys;

    /// <summary>Adds a class of options. Its properties are kept when the program is trimmed.</summary>
    public void Add<[DynamicallyAccessedMembers(Properties)] T>() =>
        _types.Add(typeof(T), typeof(T).GetProperties(BindingFlags.Public | BindingFlags.Instance));

    /// <summary>What sets no option in a section.</summary>
    /// <param name="section">The section. The root of the configuration has names of everybody, and only the sections
    /// in it that are options are looked at.</param>
    /// <param name="options">The class of options that it is bound to.</param>
    /// <param name="others">Names in the section that mean something else.</param>
    public IEnumerable<UnknownName> Find(IConfiguration section, Type options, params string[] others)
    {
        foreach (IConfigurationSection part in section.GetChildren())
        {
            if (section is IConfigurationRoot && !part.GetChildren().Any())
            {
                // Such as a variable of the environment.
                continue;
            }

            if (PropertyOf(options, part.Key) is { } property)
            {
                foreach (UnknownName unknown in FindInOption(part, options, property))
                {
                    yield return unknown;
                }
            }
            else if (section is not IConfigurationRoot && !others.Contains(part.Key, StringComparer.OrdinalIgnoreCase))
            {
                yield return Explain(part, section, options, others);
            }
        }
    }

    /// <summary>The name that is meant, most likely.</summary>
    /// <returns>Null if none is similar.</returns>
    public static string? Nearest(string name, IEnumerable<string> known) => known
        .Select(other => (Name: other, Distance: Distance(name.ToUpperInvariant(), other.ToUpperInvariant())))
        .Where(other => other.Distance <= Math.Max(name.Length, other.Name.Length) / 3)
        .OrderBy(static other => other.Distance)
        .Select(static other => other.Name)
        .FirstOrDefault();

    private IEnumerable<UnknownName> FindInOption(IConfigurationSection part, Type options, PropertyInfo property)
    {
        Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        return CanBeSet(type) ? []
            : !_types.ContainsKey(type)
            ? [new UnknownName(
                part.Path, $"is not used: only code can set {options.Name}.{property.Name}.", IsError: true)]
            : part.Value is { Length: > 0 } && !part.GetChildren().Any()
            ? [new UnknownName(
                part.Path, $"has a value, but is a section with the options of {type.Name}.", IsError: true)]
            : Find(part, type);
    }

    private UnknownName Explain(
        IConfigurationSection part, IConfiguration section, Type options, IEnumerable<string> others)
    {
        string place = section is IConfigurationSection { Path: var path } ? $"{path}:" : "";
        string[] known = [.. _types[options].Select(static property => property.Name), .. others];
        return PlaceBelow(options, part.Key) is { } below
            ? new UnknownName(part.Path, $"is no option; it belongs at \"{place}{below}\".", IsError: true)
            : Nearest(part.Key, known) is { } nearest
            ? new UnknownName(part.Path, $"is no option: do you mean \"{place}{nearest}\"?", IsError: true)
            : new UnknownName(part.Path, "is not used: there is no such option.", IsError: false);
    }

    // Where an option of this name is, next to the top.
    private string? PlaceBelow(Type options, string name)
    {
        PropertyInfo[] nested = [.. _types[options].Where(property => _types.ContainsKey(property.PropertyType))];
        return nested.Select(property => PropertyOf(property.PropertyType, name) is { } found
                ? $"{property.Name}:{found.Name}"
                : null)
            .Concat(nested.Select(property => PlaceBelow(property.PropertyType, name) is { } place
                ? $"{property.Name}:{place}"
                : null))
            .FirstOrDefault(static place => place is not null);
    }

    private PropertyInfo? PropertyOf(Type options, string name) => _types[options].FirstOrDefault(
        property => property.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    // As the generated code for binding has it.
    private static bool CanBeSet(Type type) =>
        type.IsPrimitive || type.IsEnum || type == typeof(string) || type == typeof(TimeSpan)
        || typeof(IEnumerable<string>).IsAssignableFrom(type);

    // The number of letters to add, to leave out or to replace (Levenshtein).
    private static int Distance(string one, string other)
    {
        int[] distances = [.. Enumerable.Range(0, other.Length + 1)];
        for (int i = 1; i <= one.Length; i++)
        {
            int diagonal = distances[0];
            distances[0] = i;
            for (int j = 1; j <= other.Length; j++)
            {
                int replaced = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = distances[j];
                distances[j] = Math.Min(replaced, Math.Min(distances[j], distances[j - 1]) + 1);
            }
        }

        return distances[^1];
    }
}
