using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using static SelectReactor.Hosting.Tests.TestHost;

namespace SelectReactor.Hosting.Tests;

/// <summary>Names in the configuration that set nothing.</summary>
public sealed class ConfigurationNameTests
{
    private const string Server = "Servers:greet";
    private const string IdleTimeout = "Listener:Connection:IdleTimeout";

    [TestCase("ReactorCont", "1", "\"SR:ReactorCont\" is no option: do you mean \"SR:ReactorCount\"?")]
    [TestCase("Group:MaxConections", "1", "\"SR:Group:MaxConections\" is no option: do you mean \"SR:Group:MaxConn")]
    [TestCase("Server:greet:EndPoint", "*:1", "\"SR:Server\" is no option: do you mean \"SR:Servers\"?")]
    [TestCase($"{Server}:Endpont", "*:1", $"is no option: do you mean \"SR:{Server}:EndPoint\"?")]
    [TestCase($"{Server}:Listener:Conection:NoDelay", "true", $"do you mean \"SR:{Server}:Listener:Connection\"?")]
    [TestCase($"{Server}:IdleTimeout", "1", $"is no option; it belongs at \"SR:{Server}:{IdleTimeout}\".")]
    [TestCase("MaxConnections", "1", "it belongs at \"SR:Group:MaxConnections\".")]
    [TestCase("Group:SlowCallbackThreshold", "1", "it belongs at \"SR:Group:Reactor:SlowCallbackThreshold\".")]
    [TestCase("Group:ThreadStart", "x", "\"SR:Group:ThreadStart\" is not used: only code can set Reac")]
    [TestCase($"{Server}:ListenOn", "*:1", "is not used: only code can set ServerOptions.ListenOn.")]
    [TestCase($"{Server}:Listener:ProxyProtocol:TrustedNetworks:0", "::1", "only code can set ProxyProt")]
    [TestCase($"{Server}:Listener", "Refuse", $"\"SR:{Server}:Listener\" has a value, but is a section with the opt")]
    [TestCase("Clients:peer:Connect:Tls:HandshakTimeout", "1", "Connect:Tls:HandshakeTimeout\"?")]
    [TestCase("Clients:feed:Reconect:MaxFailures", "1", "do you mean \"SR:Clients:feed:Reconnect\"?")]
    [TestCase("Clients:stor:EndPoint", "a:1", "\"stor\" was not added with AddClient, AddReconn")]
    [TestCase("Clients:stor:EndPoint", "a:1", "; do you mean \"store\"?")]
    public void AMistake_FailsTheStart_AndTheRightNameIsTold(string key, string value, string message)
    {
        using IHost host = Build(new() { [$"SR:{key}"] = value });

        Assert.That(
            async () => await host.StartAsync(), Throws.InvalidOperationException.With.Message.Contains(message));
    }

    [Test]
    public void AllMistakes_AreTold()
    {
        using IHost host = Build(new() { ["SR:ReactorCont"] = "1", ["SR:Servers:greet:Endpont"] = "*:1" });

        Assert.That(
            async () => await host.StartAsync(),
            Throws.InvalidOperationException.With.Message.Contains("Cont\"").And.Message.Contains("Endpont\""));
    }

    [Test]
    public async Task ASectionForAnotherProgram_DoesNotFailTheStart()
    {
        using var log = new LogKeeper();
        using IHost host = Build(
            new()
            {
                ["SR:Servers:greet2:EndPoint"] = "127.0.0.1:0",
                ["SR:Servers:greet:Motto"] = "This is for the handler.",
                ["SR:Servers:greet:listener:backlog"] = "7",
                ["SR:Inner:ReactorCount"] = "1",
            },
            (services, configuration) =>
            {
                services.AddLogging(logging => logging.AddProvider(log));
                services.AddSelectReactor("inner", configuration.GetSection("SR:Inner"), static _ => { });
            });

        await host.StartAsync();
        await host.StopAsync();

        Assert.That(
            log.Lines.Where(static line => line.Contains("is not used", StringComparison.Ordinal)),
            Is.EquivalentTo(new[]
            {
                "SelectReactor.Hosting: The configuration at \"SR:Servers:greet2\" is not used: \"greet2\" was not "
                    + "added with AddServer.",
                "SelectReactor.Hosting: The configuration at \"SR:Servers:greet:Motto\" is not used: there is no such "
                    + "option.",
            }));
    }

    // The root has the names of the whole program, and the variables of the environment.
    [TestCase("Groups", null)]
    [TestCase("Group", null)]
    [TestCase("Servers:greet:Endpont", "\"Servers:greet:Endpont\" is no option: do you mean \"Servers:greet:En")]
    public async Task OfTheRoot_OnlySectionsAreLookedAt(string key, string? message)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?> { [key] = "staff", ["Servers:greet:EndPoint"] = "127.0.0.1:0" });
        builder.Services.AddSingleton(new Greeting("hello"));
        builder.Services.AddSelectReactor(builder.Configuration).AddServer<GreetingHandler>("greet");
        using IHost host = builder.Build();

        if (message is null)
        {
            await host.StartAsync();
            await host.StopAsync();
        }
        else
        {
            Assert.That(
                async () => await host.StartAsync(), Throws.InvalidOperationException.With.Message.Contains(message));
        }
    }

    [Test]
    public void AllClassesOfOptions_AreKnown()
    {
        Type[] known = [.. ConfigurationNames.Types];

        Type[] used = [.. known.SelectMany(static type => type.GetProperties())
            .Select(static property => property.PropertyType)
            .Where(static type => type.Name.EndsWith("Options", StringComparison.Ordinal))
            .Distinct()];

        Assert.That(used, Has.Length.GreaterThan(8));
        Assert.That(used, Is.SubsetOf(known));
    }

    private static IHost Build(
        Dictionary<string, string?> configuration, Action<IServiceCollection, IConfiguration>? configure = null)
    {
        configuration["SR:Servers:greet:EndPoint"] = "127.0.0.1:0";
        configuration["SR:Clients:peer:EndPoint"] = "127.0.0.1:1";
        configuration["SR:Clients:feed:EndPoint"] = "127.0.0.1:1";
        return TestHost.Build(
            (services, all) =>
            {
                services
                    .AddSingleton(new Greeting("hello"))
                    .AddSelectReactor(all.GetSection("SR"))
                    .AddServer<GreetingHandler>("greet")
                    .AddClient<GreetingHandler>("peer")
                    .AddReconnectingClient<GreetingHandler>("feed")
                    .AddConnectionPool("store", static options => options.EndPoint = "127.0.0.1:1");
                configure?.Invoke(services, all);
            },
            configuration);
    }
}
