using System.Diagnostics;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>Runs a <see cref="SelectReactor.Reactor"/> on a background thread of its own. When its loop ends, by a
/// shutdown, a stop, a fault or <see cref="Dispose"/>, the reactor is disposed.</summary>
[DebuggerDisplay("{ToString(),nq}")]
public sealed class ReactorThread : IDisposable
{
    private readonly Thread _thread;
    private readonly Action _started;
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
        : this(options, static () => { })
    {
    }

    /// <summary>Starts the thread, which begins with a call of <paramref name="started"/>. What that throws, the
    /// constructor throws.</summary>
    internal ReactorThread(ReactorOptions options, Action started, string name = nameof(ReactorThread))
    {
        Reactor = new Reactor(options);
        _started = started;
        _thread = new Thread(Run) { IsBackground = true, Name = name };

        // UnsafeStart leaves out the AsyncLocals of the caller, which every callback would otherwise carry.
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _thread.UnsafeStart(start);
        start.Task.GetAwaiter().GetResult();
    }

    /// <summary>The reactor. Other threads use its members for any thread: <c>ListenAsync</c>, <c>ConnectAsync</c> and
    /// <see cref="SelectReactor.Reactor.InvokeAsync{T}(Func{T})"/>.</summary>
    public Reactor Reactor { get; }

    /// <summary>Completes when the loop has ended and everything is closed. It fails with the exception that ended the
    /// loop, if there was one.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Disposes the reactor, which closes everything, and waits for the thread to end. On that thread itself
    /// it does not wait. Any thread; idempotent.</summary>
    public void Dispose()
    {
        Reactor.Dispose();
        if (_thread != Thread.CurrentThread)
        {
            _thread.Join();
        }
    }

    /// <summary>Its reactor's state. Any thread.</summary>
    public override string ToString() => $"Thread of a reactor: {Reactor}";

    private void Run(object? start)
    {
        // Bind before anybody has the reactor, so that no other thread can use it while this one starts.
        Reactor.Affinity.Bind();
        if (!TryStart((TaskCompletionSource)start!))
        {
            return;
        }

        try
        {
            Reactor.RunLoop(main: null, disposesAtEnd: true, CancellationToken.None);
            _completion.SetResult();
        }
        catch (Exception exception)
        {
            if (!Reactor.HasToldOf(exception))
            {
                ReactorLog.LoopFault(Reactor.Logger, exception);
            }

            _completion.SetException(exception);
        }
    }

    private bool TryStart(TaskCompletionSource start)
    {
        try
        {
            _started();
            start.SetResult();
            return true;
        }
        catch (Exception exception)
        {
            Reactor.Dispose();
            start.SetException(exception);
            return false;
        }
    }
}
