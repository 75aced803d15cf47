using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using static SelectReactor.Hosting.Tests.TestHost;

namespace SelectReactor.Hosting.Tests;

/// <summary>Hosts whose loops block or die, and hosts that do not start.</summary>
public sealed class EndTests
{
    private readonly LogKeeper _log = new();
    private BlockingHandler.Gate _gate = null!;

    [SetUp]
    public void MakeGate() => _gate = new BlockingHandler.Gate();

    [TearDown]
    public void OpenGate() => _gate.Dispose();

    [OneTimeTearDown]
    public void DisposeLog() => _log.Dispose();

    [Test]
    public async Task ABlockedLoop_DoesNotKeepTheHostFromStopping()
    {
        IHost host = BuildBlocking();
        await host.StartAsync();
        using var client = new Client(Listening(host, "block"));
        _gate.WaitUntilReached();

        AssertThatItGivesUp(host.StopAsync());

        Assert.That(_log.Lines, Has.Some.Contain("The reactors \"\" do not end: 1 loops are blocked by a callback"));
        await Task.Run(host.Dispose).WaitAsync(Bound);
    }

    [Test]
    public async Task ABlockedLoop_DoesNotKeepItsClientsFromBeingDisposedOf()
    {
        IHost host = Build(services => services
            .Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(50))
            .AddSingleton(_gate)
            .AddSelectReactor()
            .AddReconnectingClient<BlockingHandler>("feed", static options => options.ConnectTo = AnyPort)
            .AddConnectionPool("store", static options => options.ConnectTo = AnyPort));
        _ = host.Services.GetRequiredKeyedService<ReconnectingClient>("feed");
        _ = host.Services.GetRequiredKeyedService<ConnectionPool>("store");
        await host.StartAsync();
        host.Services.GetRequiredService<HostedReactor>().Group.Reactors[0].Post(_gate.Pass);
        _gate.WaitUntilReached();

        AssertThatItGivesUp(host.StopAsync());

        await Task.Run(host.Dispose).WaitAsync(Bound);
    }

    [Test]
    public async Task ABlockedLoop_DoesNotKeepAHostFromBeingDisposedOf_ThatWasNotStopped()
    {
        IHost host = BuildBlocking();
        await host.StartAsync();
        using var client = new Client(Listening(host, "block"));
        _gate.WaitUntilReached();

        await Task.Run(host.Dispose).WaitAsync(Bound);
    }

    [Test]
    public async Task ABlockedLoop_DoesNotKeepTheStartFromBeingCancelled()
    {
        IHost host = BuildBlocking();
        host.Services.GetRequiredService<ReactorGroup>().Reactors[0].Post(_gate.Pass);
        _gate.WaitUntilReached();
        using var cancellation = new CancellationTokenSource();
        Task start = host.StartAsync(cancellation.Token);

        await cancellation.CancelAsync();

        Assert.That(
            async () => await start.WaitAsync(Bound), Throws.InstanceOf<OperationCanceledException>());
        await Task.Run(host.Dispose).WaitAsync(Bound);
    }

    [Test]
    public async Task ABlockedLoop_FailsTheRun()
    {
        using IHost host = BuildBlocking();
        var lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        var started = new TaskCompletionSource();
        lifetime.ApplicationStarted.Register(started.SetResult);
        Task run = host.RunAsync();
        await started.Task.WaitAsync(Bound);
        using var client = new Client(Listening(host, "block"));
        _gate.WaitUntilReached();

        lifetime.StopApplication();

        AssertThatItGivesUp(run);
    }

    [Test]
    public void ALoopThatDies_FailsTheRun()
    {
        using IHost host = Build(static services => services
            .AddSingleton(new Greeting("hello"))
            .AddSelectReactor(static options =>
            {
                options.ReactorCount = 2;
                options.Group.Reactor.PropagateExceptions = true;
            })
            .AddServer<GreetingHandler>("greet", AnyPort));
        ReactorGroup group = host.Services.GetRequiredService<ReactorGroup>();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(
            () => group.Reactors[1].Post(static () => throw new ArithmeticException("It is dead.")));

        Task run = host.RunAsync();

        Assert.That(
            async () => await run.WaitAsync(Bound),
            Throws.InvalidOperationException
                .With.Message.EqualTo("A fault has ended a loop of the reactors \"\": It is dead.")
                .And.InnerException.TypeOf<ArithmeticException>());
        Assert.That(group.Completion.IsCompleted, "the other loop has ended, too");
    }

    [Test]
    public async Task ALoopThatIsEnded_StopsTheHost_OnAnotherThread()
    {
        using IHost host = Build(static services => services
            .AddSingleton(new Greeting("hello"))
            .AddSelectReactor().AddServer<GreetingHandler>("greet", AnyPort));
        await host.StartAsync();
        ReactorGroup group = host.Services.GetRequiredService<ReactorGroup>();
        var ended = new TaskCompletionSource<bool>();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(
            () => ended.SetResult(group.Completion.Wait(Bound / 2)));

        group.Reactors[0].Dispose();

        Assert.That(await ended.Task.WaitAsync(Bound), "the loop could end meanwhile");
        await host.StopAsync().WaitAsync(Bound);
    }

    [Test]
    public void AHostThatDoesNotStart_LeavesNoThreads()
    {
        List<Thread> threads = [];
        IHost host = Build(services => services
            .AddSingleton(new Greeting("hello"))
            .AddSelectReactor(options => options.Group.ThreadStart = _ => threads.Add(Thread.CurrentThread))
            .AddClient<GreetingHandler>("peer", static _ => throw new ArithmeticException("These options are bad.")));

        Assert.That(() => host.Services.GetRequiredService<HostedReactor>(), Throws.TypeOf<ArithmeticException>());
        host.Dispose();

        Assert.That(SpinWait.SpinUntil(() => threads.TrueForAll(static thread => !thread.IsAlive), Bound));
    }

    private IHost BuildBlocking() => Build(services =>
    {
        services.Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(50));
        services
            .AddSingleton(_gate)
            .AddLogging(logging => logging.AddProvider(_log))
            .AddSelectReactor().AddServer<BlockingHandler>("block", AnyPort);
    });
}
