using Microsoft.AspNetCore.Hosting;

namespace SelectReactor.Web;

/// <summary>What carries Kestrel's connections.</summary>
public enum Transport
{
    /// <summary>Kestrel's own: the control.</summary>
    Sockets,
    /// <summary>This library's, with default settings.</summary>
    SelectReactor,
    /// <summary>This library's, with handlers on the reactor's thread.</summary>
    SelectReactorInline,
}

internal static class Transports
{
    private const string Variable = "SELECTREACTOR_WEB_TRANSPORTS";

    /// <summary>The transports of this run. The control runs when the environment variable names it.</summary>
    public static IEnumerable<Transport> All { get; } =
        [.. (Environment.GetEnvironmentVariable(Variable) ?? "SelectReactor,SelectReactorInline")
            .Split(',').Select(Enum.Parse<Transport>)];

    public static IWebHostBuilder UseTransport(this IWebHostBuilder host, Transport transport) => transport switch
    {
        Transport.Sockets => host,
        Transport.SelectReactor => host.UseSelectReactor(),
        Transport.SelectReactorInline => host.UseSelectReactor(
            options => options.Scheduling = TransportScheduling.Inline),
        _ => throw new ArgumentOutOfRangeException(nameof(transport)),
    };
}
