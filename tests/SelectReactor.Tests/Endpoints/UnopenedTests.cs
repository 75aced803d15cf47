using SelectReactor.Tests.Connections;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>Connections that end before a handler has them.</summary>
public sealed class UnopenedTests(SelectorKind selector) : ConnectionFixture(selector)
{
    private static readonly Func<Connection, IConnectionHandler>[] _ends =
    [
        static connection =>
        {
            connection.Abort();
            return connection.Handler;
        },
        static connection =>
        {
            connection.Close();
            return connection.Handler;
        },
        static _ => throw new FormatException("no handler for you"),
    ];

    [TestCaseSource(nameof(_ends))]
    public void FactoryThatSetsAHandlerAndEndsTheConnection_HasNobodyCalled(Func<Connection, IConnectionHandler> end)
    {
        var set = new ScriptedHandler();
        using Listener listener = Reactor.Listen(AnyPort, connection =>
        {
            connection.Handler = set;
            return end(connection);
        });
        var peer = Peer.Connect(listener.LocalEndPoint);
        RunUntil(
            () => listener.ConnectionCount == 1 || peer.Socket.Poll(0, System.Net.Sockets.SelectMode.SelectRead),
            "accepted");
        peer.Dispose();
        RunUntil(() => listener.ConnectionCount == 0, "refused");

        Assert.That(set.Events, Is.Empty);
    }
}
