namespace ApplicationNamespace;

using System.Net;
using SelectReactor;

/// <summary>The server, on any reactor: that of the program, or one on a simulated network.</summary>
public static class MessageServer
{
    /// <summary>How long a client may be silent.</summary>
    public static TimeSpan IdleTimeout { get; } = TimeSpan.FromMinutes(2);

    public static Listener Listen(Reactor reactor, EndPoint endPoint) =>
        reactor.Listen(endPoint, new ServerHandler(), new ListenerOptions
        {
            MaxConnections = 10_000,
            Connection =
            {
                FirstByteTimeout = TimeSpan.FromSeconds(30),
                MessageTimeout = TimeSpan.FromSeconds(30),
                IdleTimeout = IdleTimeout,
            },
        });
}
