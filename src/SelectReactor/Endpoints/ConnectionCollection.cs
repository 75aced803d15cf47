using System.Collections;

namespace SelectReactor.Endpoints;

/// <summary>The clients of a reactor as connections. Each enumeration runs over a snapshot, so that the loop's body
/// may open and close connections.</summary>
internal sealed class ConnectionCollection(Reactor reactor) : IReadOnlyCollection<Connection>
{
    public int Count
    {
        get
        {
            reactor.VerifyAccess();
            return reactor.Clients.Count;
        }
    }

    public IEnumerator<Connection> GetEnumerator()
    {
        reactor.VerifyAccess();
        return reactor.Clients.Cast<Connection>().ToList().GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
