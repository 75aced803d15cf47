using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Portability;

/// <summary>A reactor over <see cref="SelectSelector"/> on a thread of its own, and, where it has a handler, a
/// listener.</summary>
internal sealed class Loop : IDisposable
{
    private readonly ReactorThread _thread = new();
    private readonly Listener? _listener;

    public Loop()
    {
    }

    public Loop(IConnectionHandler handler) =>
        _listener = Call(reactor => reactor.Listen(new IPEndPoint(IPAddress.Loopback, 0), handler));

    public Reactor Reactor => _thread.Reactor;

    /// <summary>Where the listener listens.</summary>
    public EndPoint Address => _listener!.LocalEndPoint;

    /// <summary>Completes when the loop has ended.</summary>
    public Task Ended => _thread.Completion;

    /// <summary>Calls a function on the reactor's thread and waits for its result.</summary>
    public T Call<T>(Func<Reactor, T> function)
    {
        Task<T> call = Reactor.InvokeAsync(() => function(Reactor));
        Wait.ForAny([call, Ended], "the call on the reactor's thread");
        if (!call.IsCompleted)
        {
            Wait.For(Ended, "the end of the loop");
            throw new CheckException("the loop has ended");
        }

        return Wait.For(call, "the call");
    }

    /// <summary>Calls an action on the reactor's thread and waits until it is done.</summary>
    public void Call(Action<Reactor> action) => Call(reactor =>
    {
        action(reactor);
        return true;
    });

    /// <summary>A client of the listener.</summary>
    public Peer Connect() => Peer.Connect(Address);

    /// <summary>A connection of this loop and the peer at its other end.</summary>
    public Peer ConnectTo(Socket listener, IConnectionHandler handler)
    {
        Task<Connection> connecting = Reactor.ConnectAsync(listener.LocalEndPoint!, handler);
        var peer = Peer.Accept(listener);
        Wait.For(connecting, "the connection");
        return peer;
    }

    public void Dispose() => _thread.Dispose();
}
