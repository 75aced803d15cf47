using System.Collections;
using SelectReactor.Dispatch;

namespace SelectReactor.Endpoints;

/// <summary>The clients of a reactor as the connections that they are.</summary>
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
        foreach (IReactorClient client in reactor.Clients)
        {
            yield return (Connection)client;
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
