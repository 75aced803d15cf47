using System.Buffers;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using SelectReactor.Hosting;

namespace SelectReactor.AspNetCore;

/// <summary>The reactors that all listeners and clients of a host share, and what each gives to its connections. They
/// start when they are first used. Any thread.</summary>
internal sealed class TransportReactors : IDisposable
{
    /// <summary>How long the end waits for a loop that a handler blocks.</summary>
    public static readonly TimeSpan BlockedLoopBound = TimeSpan.FromSeconds(5);

    private readonly IServiceProvider _services;
    private readonly ReactorGroupOptions _groupOptions;
    private readonly CancellationTokenSource _loopEnded = new();
    private readonly Lock _gate = new();
    private Dictionary<Reactor, ReactorResources>? _resources;
    private ReactorGroup? _group;
    private volatile bool _isDisposed;
    private volatile bool _isBlocked;
    private bool _isEndNoted;

    public TransportReactors(IServiceProvider services, IOptions<SelectReactorTransportOptions> options)
    {
        _services = services;
        Options = options.Value;
        ILoggerFactory loggers = services.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        Logger = loggers.CreateLogger("SelectReactor.AspNetCore");

        // Another application may have the same object.
        _groupOptions = Options.Group.Clone();
        ReactorOptions reactor = _groupOptions.Reactor;
        if (reactor.Logger == new ReactorOptions().Logger)
        {
            reactor.Logger = loggers.CreateLogger("SelectReactor");
        }

        reactor.MeterFactory ??= services.GetService<IMeterFactory>();
        foreach (UnknownName unknown in services.GetServices<TransportConfiguration>().SelectMany(
            static configuration => configuration.Find()))
        {
            TransportLog.UnknownName(Logger, unknown.Path, unknown.Fault);
        }
    }

    public SelectReactorTransportOptions Options { get; }

    public ILogger Logger { get; }

    /// <summary>How long, at most, a connection of which all output is with the system waits for the client's end of
    /// stream. Kestrel does not count it any more. Listeners and clients that are made later use it.</summary>
    public TimeSpan LingerTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Cancelled when a loop has ended that nobody has told to.</summary>
    public CancellationToken LoopEnded => _loopEnded.Token;

    /// <exception cref="ObjectDisposedException">The host has ended.</exception>
    public ReactorGroup Group
    {
        get
        {
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                return _group ??= Start();
            }
        }
    }

    /// <summary>What a reactor of the group gives to its connections.</summary>
    public ReactorResources ResourcesOf(Reactor reactor) => _resources![reactor];

    public ConnectionOptions CreateConnectionOptions() => new()
    {
        NoDelay = Options.NoDelay,

        // The pipes pause reading and writing, and Kestrel has limits on time of its own.
        PauseReadingWhenOutputIsFull = false,
        WriteProgressTimeout = Timeout.InfiniteTimeSpan,
        InputPauseThreshold = int.MaxValue,

        // A client that sends on after the last response is discarded for as long as the connection lingers.
        MaxLingerBytes = int.MaxValue,
        MaxInputBytes = int.MaxValue,
        OutputHighWaterMark = TransportHandler.OutputMark,
        OutputLowWaterMark = TransportHandler.OutputMark / 2,
        MaxOutputBytes = TransportHandler.OutputMark,
        LingerTimeout = LingerTimeout,
        MaxLingerTime = LingerTimeout,

        // The output may still be in the pipe or on its way there, and an answer may end with the connection.
        ResetWhenStopped = true,
    };

    /// <summary>Tells whether the loops have served up to the end of the host, at which they are not in use any
    /// more.</summary>
    /// <exception cref="InvalidOperationException">A fault has ended a loop.</exception>
    /// <exception cref="TimeoutException">A handler blocks a loop.</exception>
    public async Task VerifyAsync()
    {
        ReactorGroup? group;
        lock (_gate)
        {
            group = _isDisposed ? null : _group;
        }

        if (group is null)
        {
            return;
        }

        // The exceptions of loops are told when all have ended.
        Task loops = Volatile.Read(ref _isEndNoted)
            ? WhenEnded(group)
            : Task.WhenAll(group.Reactors.Select(static reactor => reactor.InvokeAsync(static () => { })));
        await loops.WaitAsync(BlockedLoopBound).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!loops.IsCompleted)
        {
            NoteBlocked();
            throw new TimeoutException(
                $"A handler blocks a loop of the transport. The host has waited for it for {BlockedLoopBound}.");
        }

        if (group.Completion.Exception?.InnerException is { } fault)
        {
            throw new InvalidOperationException(
                $"A fault has ended a loop of the transport: {fault.Message}", fault);
        }
    }

    /// <summary>Ends the loops, and waits for that: not for one that a handler blocks, and not on a loop.</summary>
    public void Dispose()
    {
        ReactorGroup? group;
        lock (_gate)
        {
            _isDisposed = true;
            group = _group;
        }

        if (group is not null && !TryEnd(group))
        {
            return;
        }

        foreach (ReactorResources resources in _resources?.Values.AsEnumerable() ?? [])
        {
            resources.Memory.Dispose();
        }

        _loopEnded.Dispose();
    }

    private bool TryEnd(ReactorGroup group)
    {
        foreach (Reactor reactor in group.Reactors)
        {
            reactor.Dispose();
        }

        if (_isBlocked || group.Reactors.Any(static reactor => reactor.IsReactorThread))
        {
            return false;
        }

        if (Task.WaitAny([group.Completion], BlockedLoopBound) < 0)
        {
            NoteBlocked();
            return false;
        }

        group.Dispose();
        return true;
    }

    private void NoteBlocked()
    {
        _isBlocked = true;
        TransportLog.LoopBlocked(Logger, BlockedLoopBound.TotalSeconds);
    }

    private static Task WhenEnded(ReactorGroup group)
    {
        _ = group.ShutdownAsync(TimeSpan.Zero);
        return group.Completion;
    }

    private ReactorGroup Start()
    {
        if (!_groupOptions.StartThreads)
        {
            throw new ArgumentException(
                $"{nameof(SelectReactorTransportOptions)}.{nameof(Options.Group)}."
                + $"{nameof(ReactorGroupOptions.StartThreads)} must not be false: in a host each reactor has a thread "
                + "of its own.");
        }

        var group = new ReactorGroup(Options.ReactorCount ?? Environment.ProcessorCount, _groupOptions);
        IMemoryPoolFactory<byte>? pools = _services.GetService<IMemoryPoolFactory<byte>>();
        var memoryOptions = new MemoryPoolOptions { Owner = "SelectReactor" };
        _resources = group.Reactors.ToDictionary(
            static reactor => reactor,
            reactor => new ReactorResources(
                reactor, pools?.Create(memoryOptions) ?? MemoryPool<byte>.Shared, Options, Logger));
        foreach (Reactor reactor in group.Reactors)
        {
            reactor.Stopping.UnsafeRegister(static self => ((TransportReactors)self!).NoteEnd(), this);
        }

        return group;
    }

    // A dead loop can't serve anybody: whatever runs the program starts it anew.
    private void NoteEnd()
    {
        if (!_isDisposed && !Interlocked.Exchange(ref _isEndNoted, true))
        {
            TransportLog.LoopEnded(Logger);
            _loopEnded.Cancel();
            _services.GetService<IHostApplicationLifetime>()?.StopApplication();
        }
    }
}
