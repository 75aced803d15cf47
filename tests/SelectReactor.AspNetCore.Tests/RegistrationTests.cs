using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>What <c>UseSelectReactor</c> adds, and its options.</summary>
internal sealed class RegistrationTests
{
    [TestCase(true)]
    [TestCase(false)]
    public void It_comes_last_so_that_it_is_asked_first_also_when_it_is_added_twice(bool isBefore)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        if (isBefore)
        {
            builder.WebHost.UseSelectReactor().UseSockets();
        }

        builder.WebHost.UseSockets().UseSelectReactor().UseSelectReactor().UseSockets();

        using WebApplication application = builder.UseKestrelAndBuild();

        IConnectionListenerFactory[] factories = [.. application.Services.GetServices<IConnectionListenerFactory>()];
        Assert.That(factories.Last(), Is.InstanceOf<TransportFactory>());
        Assert.That(factories.OfType<TransportFactory>().Count(), Is.EqualTo(1));
    }

    [Test]
    public void The_options_of_a_group_are_not_changed()
    {
        var common = new ReactorGroupOptions();
        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Group:MaxConnections"] = "77" })
            .Build();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddMetrics().Configure<SelectReactorTransportOptions>(options => options.Group = common);
        builder.WebHost.UseSelectReactor(configuration);
        using WebApplication application = builder.UseKestrelAndBuild();

        ReactorGroup group = application.Services.GetRequiredService<TransportReactors>().Group;

        var untouched = new ReactorGroupOptions();
        Assert.That(group.Reactors, Is.Not.Empty);
        Assert.That(common.MaxConnections, Is.EqualTo(untouched.MaxConnections));
        Assert.That(common.Reactor.Logger, Is.SameAs(untouched.Reactor.Logger));
        Assert.That(common.Reactor.MeterFactory, Is.Null);
    }

    [Test]
    public void Options_come_from_configuration()
    {
        IConfiguration configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?>
            {
                ["MaxReadBufferSize"] = "1000",
                ["MaxWriteBufferSize"] = "2000",
                ["Backlog"] = "30",
                ["NoDelay"] = "false",
                ["ReactorCount"] = "3",
                ["Scheduling"] = "Inline",
                ["Group:MaxConnections"] = "77",
            })
            .Build();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseSelectReactor(configuration);
        using WebApplication application = builder.UseKestrelAndBuild();

        SelectReactorTransportOptions options =
            application.Services.GetRequiredService<IOptions<SelectReactorTransportOptions>>().Value;

        Assert.That(options.MaxReadBufferSize, Is.EqualTo(1000));
        Assert.That(options.MaxWriteBufferSize, Is.EqualTo(2000));
        Assert.That(options.Backlog, Is.EqualTo(30));
        Assert.That(options.NoDelay, Is.False);
        Assert.That(options.ReactorCount, Is.EqualTo(3));
        Assert.That(options.Scheduling, Is.EqualTo(TransportScheduling.Inline));
        Assert.That(options.Group.MaxConnections, Is.EqualTo(77));
    }

    [TestCase("Backlog", "0", "at \"Web\" is not valid. SelectReactorTransportOptions.Backlog must be at")]
    [TestCase("Group:MaxConnections", "0", "at \"Web\" is not valid. ReactorGroupOptions.MaxConn")]
    [TestCase("Scheduling", "Fast", "Web:Scheduling")]
    [TestCase("ReactorCont", "1", "\"Web:ReactorCont\" is no option: do you mean \"Web:ReactorCount\"?")]
    [TestCase("MaxConnections", "1", "is no option; it belongs at \"Web:Group:MaxConnections\".")]
    [TestCase("Group:Reactor:Logger", "x", "at \"Web:Group:Reactor:Logger\" is not used: only code can set")]
    public void A_mistake_in_the_configuration_is_told_with_its_place(string key, string value, string message)
    {
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration[$"Web:{key}"] = value;
        builder.WebHost.UseSelectReactor(builder.Configuration.GetSection("Web"));

        Assert.That(
            () => builder.UseKestrelAndBuild(), Throws.InvalidOperationException.With.Message.Contains(message));
    }

    [Test]
    public async Task A_name_that_may_be_of_the_program_is_warned_of()
    {
        var log = new EventLog();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.AddProvider(log);
        builder.Configuration["Web:Motto"] = "This is for the program.";
        builder.WebHost.UseSelectReactor(builder.Configuration.GetSection("Web"));

        await using WebApplication application = builder.UseKestrelAndBuild();

        Assert.That(
            log.Entries.Single(static entry => entry.Id.Name == "UnknownName").Text,
            Is.EqualTo("The configuration at \"Web:Motto\" is not used: there is no such option."));
    }

    [Test]
    public void All_classes_of_options_are_known_to_the_check_of_the_configuration()
    {
        Type[] known = [.. TransportConfiguration.Types];

        Assert.That(known, Has.Member(typeof(SelectReactorTransportOptions)));
        Assert.That(
            known.SelectMany(static type => type.GetProperties())
                .Select(static property => property.PropertyType)
                .Where(static type => type.Name.EndsWith("Options", StringComparison.Ordinal))
                .Distinct(),
            Is.SubsetOf(known));
    }

    [Test]
    public void Defaults_are_those_of_Kestrels_own_transport()
    {
        var options = new SelectReactorTransportOptions();
        var sockets = new Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets.SocketTransportOptions();

        Assert.That(options.MaxReadBufferSize, Is.EqualTo(sockets.MaxReadBufferSize));
        Assert.That(options.MaxWriteBufferSize, Is.EqualTo(sockets.MaxWriteBufferSize));
        Assert.That(options.Backlog, Is.EqualTo(sockets.Backlog));
        Assert.That(options.NoDelay, Is.EqualTo(sockets.NoDelay));
        Assert.That(options.Scheduling, Is.EqualTo(TransportScheduling.ThreadPool));
    }

    [Test]
    public void A_value_that_is_not_allowed_is_named()
    {
        var options = new SelectReactorTransportOptions();

        Assert.That(
            () => options.Backlog = 0,
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("Options.Backlog"));
        Assert.That(
            () => options.MaxReadBufferSize = -1,
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("Options.MaxReadBufferSize"));
        Assert.That(
            () => options.MaxWriteBufferSize = -1,
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("Options.MaxWriteBufferSize"));
        Assert.That(
            () => options.ReactorCount = 0,
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.StartsWith(
                "SelectReactorTransportOptions.ReactorCount must be at least 1, not 0."));
        Assert.That(
            () => options.Scheduling = (TransportScheduling)9,
            Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("Options.Scheduling"));
        Assert.That(
            () => options.Group = null!,
            Throws.InstanceOf<ArgumentNullException>().With.Message.Contains("Options.Group"));
    }

    [Test]
    public void Only_end_points_of_sockets_can_be_bound()
    {
        using var services = new ServiceCollection().BuildServiceProvider();
        using var reactors = new TransportReactors(services, Options.Create(new SelectReactorTransportOptions()));
        var factory = new TransportFactory(reactors);

        Assert.That(factory.CanBind(new IPEndPoint(IPAddress.Loopback, 0)), Is.True);
        Assert.That(factory.CanBind(new System.Net.Sockets.UnixDomainSocketEndPoint("/tmp/x")), Is.True);
        Assert.That(factory.CanBind(new FileHandleEndPoint(3, FileHandleType.Tcp)), Is.True);
        Assert.That(factory.CanBind(new FileHandleEndPoint(3, FileHandleType.Pipe)), Is.False);
        Assert.That(factory.CanBind(new DnsEndPoint("localhost", 80)), Is.False);
        Assert.That(
            async () => await factory.BindAsync(new DnsEndPoint("localhost", 80)),
            Throws.InstanceOf<NotSupportedException>());
    }
}

internal static class WebApplicationBuilderExtensions
{
    public static WebApplication UseKestrelAndBuild(this WebApplicationBuilder builder)
    {
        builder.WebHost.UseKestrel();
        return builder.Build();
    }
}
