using Microsoft.Extensions.Configuration;

namespace SelectReactor.Hosting;

/// <summary>What an option refuses, with the place in the configuration.</summary>
internal static class ConfigurationFault
{
    public static void Guard(IConfiguration configuration, Action bind)
    {
        try
        {
            bind();
        }
        catch (ArgumentException exception)
        {
            string place = configuration is IConfigurationSection section ? section.Path : "the root";
            throw new InvalidOperationException(
                $"The configuration at \"{place}\" is not valid. {exception.Message}", exception);
        }
    }
}
