using SelectReactor.Epoll;

namespace SelectReactor;

/// <summary>Groups of reactors on Linux.</summary>
public static class EpollReactorGroupOptionsExtensions
{
    /// <summary>Lets each reactor of a group wait with an <see cref="EpollSelector"/>:
    /// <c>new ReactorGroup(4, new ReactorGroupOptions().UseEpoll())</c>. It changes
    /// <see cref="ReactorGroupOptions.Reactor"/> as
    /// <see cref="EpollReactorOptionsExtensions.UseEpoll(ReactorOptions)"/> does.</summary>
    /// <param name="options">The options to change.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="PlatformNotSupportedException">The system is not Linux.</exception>
    public static ReactorGroupOptions UseEpoll(this ReactorGroupOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Reactor.UseEpoll();
        return options;
    }

    /// <summary>Binds the thread of each reactor to a processor of its own (sched_setaffinity(2)): the first reactor
    /// to the first processor that the process may use, and so on. If there are more reactors than processors, some
    /// share one. Worth a measurement where nothing else runs on the machine; on a shared one the system's scheduler
    /// does better. It adds a callback to <see cref="ReactorGroupOptions.ThreadStart"/>.</summary>
    /// <param name="options">The options to change.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="PlatformNotSupportedException">The system is not Linux.</exception>
    public static ReactorGroupOptions PinToProcessors(this ReactorGroupOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        EpollSelector.ThrowUnlessLinux();
        options.ThreadStart += ProcessorAffinity.Pin;
        return options;
    }
}
