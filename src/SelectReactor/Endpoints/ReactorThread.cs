using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>A <see cref="SelectReactor.Reactor"/> on a thread of its own, in the background, from construction until disposal.</summary>
public sealed class ReactorThread : IDisposable
{
    private readonly Thread _thread;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Starts the thread with default options.</summary>
    public ReactorThread()
        : this(new ReactorOptions())
    {
    }

    /// <summary>Starts the thread.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The selector can't open its wake-up.</exception>
    public ReactorThread(ReactorOptions options)
    {
        Reactor = new Reactor(options);
        _thread = new Thread(Run) { IsBackground = true, Name = nameof(ReactorThread) };
        using var bound = new ManualResetEventSlim();

        // Unsafe is to say without the maker's AsyncLocals, which every callback would carry for as long as the thread lives.
        _thread.UnsafeStart(bound);
        bound.Wait();
    }

    /// <summary>The reactor; reach it with its members for any thread, such as
    /// <see cref="SelectReactor.Reactor.InvokeAsync"/>.</summary>
    public Reactor Reactor { get; }

    /// <summary>Completes when the loop has ended, with an exception if one ended it.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Disposes the reactor, which closes everything, and waits for the thread to end, unless called on that thread
    /// itself. Any thread; idempotent.</summary>
    public void Dispose()
    {
        Reactor.Dispose();
        if (_thread != Thread.CurrentThread)
        {
            _thread.Join();
        }
    }

    private void Run(object? bound)
    {
        // Before anybody has the reactor, so that no other thread can pass for its own while this one starts.
        Reactor.Affinity.Bind();
        ((ManualResetEventSlim)bound!).Set();
        try
        {
            Reactor.RunLoop(disposesAtEnd: true, CancellationToken.None);
            _completion.SetResult();
        }
        catch (Exception exception)
        {
            ReactorLog.LoopFault(Reactor.Logger, exception);
            _completion.SetException(exception);
        }
    }
}
