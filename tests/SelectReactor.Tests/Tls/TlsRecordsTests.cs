using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Tls;

/// <summary>Several records that come at once, of which the last ones are bad or cut.</summary>
[TestFixtureSource(typeof(TlsConnectionTests), nameof(TlsConnectionTests.Kinds))]
public sealed class TlsRecordsTests(SelectorKind selector, SslProtocols protocol) : TlsFixture(selector)
{
    [Test]
    public void DataBeforeABadRecord_IsReceived([Values] Bad bad, [Values(1, 3, 20)] int count)
    {
        Peer peer = Own(Peer.Connect(Listen().LocalEndPoint));
        using var held = new HeldStream(new NetworkStream(peer.Socket));
        using var ssl = new SslStream(held);
        SslClientAuthenticationOptions options = Certificates.ClientOptions;
        options.EnabledSslProtocols = protocol;
        RunBeside(() =>
        {
            ssl.AuthenticateAsClient(options);
            return true;
        });
        RunUntil(() => Handler.IsConnected, "OnConnected");
        held.Held = new MemoryStream();
        byte[] bytes = Noise(count * 1000);
        for (int i = 0; i < count; i++)
        {
            ssl.Write(bytes.AsSpan(i * 1000, 1000));
        }

        int good = (int)held.Held.Length;
        ssl.Write(Noise(500));
        byte[] all = held.Held.ToArray();
        held.Held = null;
        peer.Send(bad switch
        {
            Bad.Forged => [.. all[..^1], (byte)~all[^1]],
            Bad.Cut => all[..^10],
            _ => [.. all[..good], 22, 3, 3, 0, 40, .. new byte[40]],
        });
        if (bad == Bad.Cut)
        {
            peer.EndOutput();
        }

        Assert.That(RunUntilClosed().Kind, Is.EqualTo(CloseKind.ProtocolError));
        Assert.That(Handler.Received, Is.EqualTo(bytes));
    }

    public enum Bad
    {
        Forged,
        Cut,

        /// <summary>A handshake message, which asks for a renegotiation in TLS 1.2 and is not allowed in TLS
        /// 1.3.</summary>
        Handshake,
    }

    /// <summary>Keeps what is written while <see cref="Held"/> is set.</summary>
    private sealed class HeldStream(Stream inner) : Stream
    {
        public MemoryStream? Held { get; set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

        public override void Write(byte[] buffer, int offset, int count) =>
            (Held ?? inner).Write(buffer, offset, count);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
