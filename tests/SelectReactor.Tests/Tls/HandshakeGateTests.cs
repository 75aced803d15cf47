using System.Net.Security;
using System.Net.Sockets;
using SelectReactor.Tests.Support;
using SelectReactor.Tls;

namespace SelectReactor.Tests.Tls;

/// <summary>The limit on handshakes that compute, with callbacks that block for longer than their handshakes may
/// take.</summary>
public sealed class HandshakeGateTests(SelectorKind selector) : TlsFixture(selector)
{
    private TimeSpan _limit;
    private int _computing;

    [Test]
    public void CallbackThatBlocks_KeepsItsPlace_UntilItReturns()
    {
        using var mayGoOn = new ManualResetEventSlim();
        var gate = new HandshakeGate(1);
        _limit = TimeSpan.FromMilliseconds(200);
        _computing = 0;
        Listener listener = Listen(gate, mayGoOn);
        Begin(listener);
        RunUntil(() => Volatile.Read(ref _computing) == 1, "the callback");
        RunUntil(() => listener.ConnectionCount == 0, "its time-out");

        Begin(listener);
        RunUntil(() => gate.Waiting == 1, "the next one waits");
        RunUntil(() => listener.ConnectionCount == 0, "its time-out");
        Assert.That((gate.Waiting, _computing), Is.EqualTo((0, 1)));

        _limit = Bound;
        Begin(listener);
        RunUntil(() => gate.Waiting == 1, "the third one waits");
        mayGoOn.Set();
        RunUntil(() => Volatile.Read(ref _computing) == 2, "the third one computes");
        Connect(listener);
    }

    // The first bytes of a ClientHello.
    private void Begin(Listener listener)
    {
        Peer peer = Own(Peer.Connect(listener.LocalEndPoint));
        peer.Send([22, 3, 1, 2, 0, 1]);
        RunUntil(() => listener.ConnectionCount == 1, "accepted");
    }

    private Listener Listen(HandshakeGate gate, ManualResetEventSlim mayGoOn)
    {
        Task Handshake(SslStream ssl, CancellationToken token)
        {
            Interlocked.Increment(ref _computing);
            mayGoOn.Wait(Bound, CancellationToken.None);
            return ssl.AuthenticateAsServerAsync(Certificates.ServerOptions, token);
        }

        return Own(Reactor.Listen(AnyPort, Handler, new ListenerOptions
        {
            Steps = [() => new TlsHandshake(_ => new SslStreamEngine(Handshake), _limit, gate)],
        }));
    }
}
