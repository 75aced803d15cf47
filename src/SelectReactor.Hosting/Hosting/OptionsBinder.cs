using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace SelectReactor.Hosting;

/// <summary>Sets options from configuration. It binds by reflection: the generator of binding code also generates code
/// for the framework's TLS options, and that code does not compile.</summary>
internal static class OptionsBinder
{
    private const DynamicallyAccessedMemberTypes Members =
        DynamicallyAccessedMemberTypes.PublicProperties
        | DynamicallyAccessedMemberTypes.PublicParameterlessConstructor;

    /// <exception cref="InvalidOperationException">A value is not valid. The message tells its place.</exception>
    [DynamicDependency(Members, typeof(SelectReactorOptions))]
    [DynamicDependency(Members, typeof(ReactorGroupOptions))]
    [DynamicDependency(Members, typeof(ReactorOptions))]
    [DynamicDependency(Members, typeof(ServerOptions))]
    [DynamicDependency(Members, typeof(ClientOptions))]
    [DynamicDependency(Members, typeof(ListenerOptions))]
    [DynamicDependency(Members, typeof(ConnectOptions))]
    [DynamicDependency(Members, typeof(ConnectionOptions))]
    [DynamicDependency(Members, typeof(ProxyProtocolOptions))]
    [UnconditionalSuppressMessage(
        "Trimming", "IL2026", Justification = "The options that text can set are kept by the attributes above.")]
    [UnconditionalSuppressMessage(
        "AOT", "IL3050", Justification = "The values are numbers, texts, times and enumerations.")]
    public static void Bind(IConfiguration configuration, object options)
    {
        try
        {
            configuration.Bind(options);
        }
        catch (ArgumentException exception)
        {
            throw Refused(configuration, exception);
        }
        catch (TargetInvocationException exception) when (exception.InnerException is ArgumentException refusal)
        {
            throw Refused(configuration, refusal);
        }
    }

    private static InvalidOperationException Refused(IConfiguration configuration, ArgumentException refusal)
    {
        string place = configuration is IConfigurationSection section ? section.Path : "the root";
        return new InvalidOperationException(
            $"The configuration at \"{place}\" is not valid. {refusal.Message}", refusal);
    }
}
