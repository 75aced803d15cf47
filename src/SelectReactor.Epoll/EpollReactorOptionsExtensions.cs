using SelectReactor.Epoll;

namespace SelectReactor;

/// <summary>Reactors on epoll(7).</summary>
public static class EpollReactorOptionsExtensions
{
    /// <summary>
    /// Lets a reactor wait with an <see cref="EpollSelector"/> and use sockets that receive, send and accept by the
    /// system calls of Linux: <c>new Reactor(new ReactorOptions().UseEpoll())</c>. It sets
    /// <see cref="ReactorOptions.SelectorFactory"/> and <see cref="ReactorOptions.HandleFactory"/>, which belong
    /// together: no other selector watches these sockets.
    /// </summary>
    /// <param name="options">The options to change.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="options"/> is null.</exception>
    /// <exception cref="PlatformNotSupportedException">The system is not Linux.</exception>
    public static ReactorOptions UseEpoll(this ReactorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        EpollSelector.ThrowUnlessLinux();
        options.SelectorFactory = EpollSelector.Create;
        options.HandleFactory = EpollHandleFactory.Instance;
        return options;
    }
}
