using System.Buffers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using static SelectReactor.Hosting.Tests.TestHost;

namespace SelectReactor.Hosting.Tests;

/// <summary>How the services of connections are disposed of.</summary>
public sealed class ScopeTests
{
    private TaskCompletionSource _begun = null!;
    private TaskCompletionSource _mayEnd = null!;
    private bool _isFlushed;

    [SetUp]
    public void Reset()
    {
        _begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _mayEnd = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _isFlushed = false;
    }

    // What it awaits comes back to the loop.
    [Test]
    public async Task AConstructorThatThrows_DoesNotBlockTheLoop()
    {
        using IHost host = Build(services => services
            .AddScoped(_ => new Journal(FlushAsync))
            .AddSelectReactor().AddServer<ThrowingHandler>("throw", AnyPort));
        await host.StartAsync();
        using var client = new Client(Listening(host, "throw"));
        await _begun.Task.WaitAsync(Bound);

        _mayEnd.SetResult();

        Reactor reactor = host.Services.GetRequiredService<ReactorGroup>().Reactors[0];
        await reactor.InvokeAsync(static () => { }).WaitAsync(Bound);
        await host.StopAsync().WaitAsync(Bound);
        Assert.That(_isFlushed);
    }

    [Test]
    public async Task TheHost_WaitsForTheScopesOfConnections()
    {
        using IHost host = Build(services => services
            .AddScoped(_ => new Journal(FlushAsync))
            .AddSelectReactor().AddServer<JournalHandler>("journal", AnyPort));
        await host.StartAsync();
        using var client = new Client(Listening(host, "journal"));
        Assert.That(client.Receive(), Is.EqualTo("hello"));

        Task stop = host.StopAsync();
        await _begun.Task.WaitAsync(Bound);
        await Task.WhenAny(stop, Task.Delay(100));

        Assert.That(stop.IsCompleted, Is.False);
        _mayEnd.SetResult();
        await stop.WaitAsync(Bound);
        Assert.That(_isFlushed);
    }

    [Test]
    public async Task AScopeThatDoesNotEnd_DoesNotKeepTheHostFromStopping()
    {
        using var log = new LogKeeper();
        IHost host = BuildWithShortTimeOut(log);
        await host.StartAsync();
        using var client = new Client(Listening(host, "journal"));
        Assert.That(client.Receive(), Is.EqualTo("hello"));

        AssertThatItGivesUp(host.StopAsync());

        Assert.That(log.Lines, Has.Some.Contain("by a callback, and 1 scopes of services are not"));
        await Task.Run(host.Dispose).WaitAsync(Bound);
        _mayEnd.SetResult();
    }

    [Test]
    public async Task ScopesThatAreLeftAlone_AreNamedAtTheEndOfTheTimeOut()
    {
        using var log = new LogKeeper();
        IHost host = BuildWithShortTimeOut(log);
        await host.StartAsync();
        var client = new Client(Listening(host, "journal"));
        Assert.That(client.Receive(), Is.EqualTo("hello"));
        client.Dispose();
        await _begun.Task.WaitAsync(Bound);

        AssertThatItGivesUp(host.StopAsync());

        Assert.That(log.Lines, Has.Some.Contain("all connections are closed, but 1 scopes of services are not"));
        Assert.That(log.Lines, Has.None.Contain("the last 0"));
        await Task.Run(host.Dispose).WaitAsync(Bound);
        _mayEnd.SetResult();
    }

    private IHost BuildWithShortTimeOut(LogKeeper log) => Build(services =>
    {
        services.Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(50));
        services
            .AddLogging(logging => logging.AddProvider(log))
            .AddScoped(_ => new Journal(FlushAsync))
            .AddSelectReactor().AddServer<JournalHandler>("journal", AnyPort);
    });

    private async Task FlushAsync()
    {
        _begun.TrySetResult();
        await _mayEnd.Task;
        _isFlushed = true;
    }

    /// <summary>A service of one connection.</summary>
    public sealed class Journal(Func<Task> flush) : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => new(flush());
    }

    /// <summary>Says hello.</summary>
    public sealed class JournalHandler(Journal journal) : ConnectionHandler
    {
        public Journal Journal => journal;

        public override void OnConnected(Connection connection) => connection.Output.Write("hello"u8);

        public override void OnReadable(Connection connection)
        {
        }
    }

    /// <summary>Can't be made.</summary>
    public sealed class ThrowingHandler : ConnectionHandler
    {
        public ThrowingHandler(Journal journal) => throw new ArithmeticException($"{journal} is not enough.");

        public override void OnReadable(Connection connection)
        {
        }
    }
}
