using System.Runtime.CompilerServices;
using SelectReactor.Dispatch;

namespace SelectReactor;

/// <content>Calls of other threads into the loop, with an answer.</content>
public sealed partial class Reactor
{
    /// <summary>Runs a callback on the reactor's thread, in a later phase of the loop and in the execution context of
    /// the caller. Any thread.</summary>
    /// <returns>A task that completes when the callback has run, or with the exception that it threw; with an
    /// <see cref="ObjectDisposedException"/> when the reactor is disposed. Code that awaits it on the reactor's thread
    /// goes on there.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    public Task InvokeAsync(Action callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return StartAsync(new FunctionInvocation<bool>(
            this,
            () =>
            {
                callback();
                return true;
            },
            callback));
    }

    /// <summary>Runs a function on the reactor's thread, in a later phase of the loop and in the execution context of
    /// the caller. Any thread.</summary>
    /// <returns>A task with its result, or with the exception that it threw; with an
    /// <see cref="ObjectDisposedException"/> when the reactor is disposed. Code that awaits it on the reactor's thread
    /// goes on there.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="function"/> is null.</exception>
    public Task<T> InvokeAsync<T>(Func<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return StartAsync(new FunctionInvocation<T>(this, function, function));
    }

    /// <summary>Starts an asynchronous function on the reactor's thread, in a later phase of the loop and in the
    /// execution context of the caller; the code after its awaits comes back to that thread. Any thread.</summary>
    /// <returns>A task that ends as the function's task does; with an <see cref="ObjectDisposedException"/> when the
    /// reactor is disposed before the function starts. If it is disposed later, the rest of the function runs on the
    /// thread pool. Code that awaits the task on the reactor's thread goes on there.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="function"/> is null.</exception>
    [OverloadResolutionPriority(1)]
    public Task InvokeAsync(Func<Task> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return StartAsync(new AsyncInvocation<bool>(this, function, function));
    }

    /// <summary>As <see cref="InvokeAsync(Func{Task})"/>, with the result of the function's task.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="function"/> is null.</exception>
    [OverloadResolutionPriority(1)]
    public Task<T> InvokeAsync<T>(Func<Task<T>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return StartAsync(new AsyncInvocation<T>(this, function, function));
    }

    /// <summary>As <see cref="InvokeAsync(Func{Task})"/>.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="function"/> is null.</exception>
    public Task InvokeAsync(Func<ValueTask> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return StartAsync(new AsyncInvocation<bool>(this, () => function().AsTask(), function));
    }

    /// <summary>As <see cref="InvokeAsync(Func{Task})"/>, with the result of the function's task.</summary>
    /// <exception cref="ArgumentNullException"><paramref name="function"/> is null.</exception>
    public Task<T> InvokeAsync<T>(Func<ValueTask<T>> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        return StartAsync(new AsyncInvocation<T>(this, () => function().AsTask(), function));
    }

    private Task<T> StartAsync<T>(Invocation<T> invocation)
    {
        Task<T> task = invocation.Task;
        return TryPost(static work => ((Invocation<T>)work!).Run(), invocation)
            ? task
            : Task.FromException<T>(DisposedError());
    }
}
