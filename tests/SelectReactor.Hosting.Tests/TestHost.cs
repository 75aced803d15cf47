using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace SelectReactor.Hosting.Tests;

/// <summary>Hosts for the tests.</summary>
internal static class TestHost
{
    /// <summary>Longer than anything takes that does not hang.</summary>
    public static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    public static IPEndPoint AnyPort => new(IPAddress.Loopback, 0);

    public static IHost Build(Action<IServiceCollection> configure) =>
        Build((services, _) => configure(services), []);

    public static IHost Build(
        Action<IServiceCollection, IConfiguration> configure, Dictionary<string, string?> configuration)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(configuration);
        configure(builder.Services, builder.Configuration);
        builder.Services.PostConfigureAll<SelectReactorOptions>(static options =>
        {
            if (options.DrainTimeout == new SelectReactorOptions().DrainTimeout)
            {
                options.DrainTimeout = TimeSpan.FromMilliseconds(100);
            }
        });
        return builder.Build();
    }

    /// <summary>The stop or the run of a host ends, and tells that something has not.</summary>
    public static void AssertThatItGivesUp(Task end) => Assert.That(
        async () => await end.WaitAsync(Bound),
        Throws.TypeOf<TimeoutException>().With.Message.StartsWith("The reactors \"\" have not ended within 00:00:02"));

    public static EndPoint Listening(IHost host, string server) =>
        host.Services.GetRequiredService<HostedReactor>().GetListener(server).LocalEndPoint;
}
