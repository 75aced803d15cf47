using SelectReactor.Endpoints;

namespace SelectReactor;

/// <summary>Servers and clients on a <see cref="Reactor"/>.</summary>
public static partial class ReactorExtensions
{
    extension(Reactor reactor)
    {
        /// <summary>The open connections of the reactor, accepted and outgoing. Use it on the reactor's thread only.
        /// The count is always the current one. Each enumeration runs over a snapshot that it takes when it begins:
        /// its body may open and close connections. A connection that closes meanwhile is still enumerated, and a new
        /// one is not.</summary>
        public IReadOnlyCollection<Connection> Connections
        {
            get
            {
                ArgumentNullException.ThrowIfNull(reactor);
                return new ConnectionCollection(reactor);
            }
        }
    }
}
