using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using SelectReactor.Buffers;
using SelectReactor.Selection;
using SelectReactor.Tls;

namespace SelectReactor.Tests.Tls;

/// <summary>The handle over an engine that encrypts nothing: what it gives to the engine, and when it stops.</summary>
public sealed class TlsHandleTests
{
    private readonly Transport _transport = new();
    private readonly Engine _engine = new();
    private readonly byte[] _buffer = new byte[4096];
    private TlsHandle _handle = null!;

    [SetUp]
    public void Create()
    {
        _transport.Input.Clear();
        _transport.Error = SocketError.WouldBlock;
        _transport.Room = int.MaxValue;
        _handle = new TlsHandle(_transport, _engine, new BufferPool(), default);
    }

    [TearDown]
    public void Close() => _handle.Dispose();

    [Test]
    public void TheEngine_GetsOneRecordAtATime()
    {
        for (int i = 0; i < 10; i++)
        {
            Queue(i * 100);
        }

        Assert.That(Receive(), Is.EqualTo((SocketError.Success, 4096)));
        Assert.That(_handle.Held, Is.EqualTo(HeldBytes.Input));
        Assert.That(Receive(), Is.EqualTo((SocketError.Success, 404)));
        Assert.That(_handle.Held, Is.EqualTo(HeldBytes.None));
        Assert.That(_engine.MostHeld, Is.EqualTo(905));
    }

    [Test]
    public void ReceiveOfManyRecords_StopsAndSaysThatThereIsMore()
    {
        for (int i = 0; i < 100; i++)
        {
            Queue(0);
            Queue(1);
        }

        Assert.That(Receive(), Is.EqualTo((SocketError.Success, 32)));
        Assert.That(_handle.Held, Is.EqualTo(HeldBytes.Input));
        Assert.That(Receive(), Is.EqualTo((SocketError.Success, 32)));
        Assert.That(Receive(), Is.EqualTo((SocketError.Success, 32)));
        Assert.That(Receive(), Is.EqualTo((SocketError.Success, 4)));
        Assert.That(_handle.Held, Is.EqualTo(HeldBytes.None));
        Assert.That(Receive(), Is.EqualTo((SocketError.WouldBlock, 0)));
    }

    [TestCase(32, true)]
    [TestCase(33, false)]
    public void RecordsWithoutData_AreLimited(int count, bool isAllowed)
    {
        Queue(7);
        for (int i = 0; i < count; i++)
        {
            Queue(0);
        }

        Queue(7);
        Assert.That(Receive(), Is.EqualTo((SocketError.Success, isAllowed ? 14 : 7)));
        if (!isAllowed)
        {
            Assert.That(_handle.Held, Is.EqualTo(HeldBytes.Input));
            Assert.That(Receive(), Is.EqualTo((SocketError.SocketError, 0)));
            Assert.That(_handle.Explain(SocketError.SocketError).Message, Does.Contain("32 records in a row"));
            Assert.That(_handle.Held, Is.EqualTo(HeldBytes.None));
        }
    }

    // What the selector says of room would wake the loop for ever.
    [Test]
    public void OutputThatCanNotLeave_IsNotHeld_AfterAFailureOfTheTransport()
    {
        _transport.Room = 100;
        _handle.Send(new byte[1000], out _);
        Assert.That(_handle.Held, Is.EqualTo(HeldBytes.Output));

        _transport.Error = SocketError.ConnectionReset;
        Assert.That(Receive(), Is.EqualTo((SocketError.ConnectionReset, 0)));
        Assert.That(_handle.Held, Is.EqualTo(HeldBytes.None));
        Assert.That(_handle.Send(new byte[1000], out _), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public void BatchThatDrains_IsProgress()
    {
        _transport.Room = 100;
        _handle.Send(new byte[1000], out int sent);
        Assert.That(sent, Is.Zero);
        long before = Taken();
        _transport.Room = 50;
        _handle.Flush();

        Assert.That((before, Taken()), Is.EqualTo((100, 150)));
    }

    private long Taken() => _handle.TryMeasureTransport(out _, out long taken) ? taken : -1;

    private void Queue(int dataBytes)
    {
        _transport.Input.AddRange([23, 3, 3, (byte)(dataBytes >> 8), (byte)dataBytes]);
        _transport.Input.AddRange(new byte[dataBytes]);
    }

    private (SocketError Error, int Received) Receive() => (_handle.Receive(_buffer, out int received), received);

    private sealed class Transport : Handle
    {
        public List<byte> Input { get; } = [];

        public SocketError Error { get; set; }

        public int Room { get; set; }

        public override bool IsClosed => false;

        public override SocketError Receive(Span<byte> buffer, out int received)
        {
            received = Math.Min(buffer.Length, Input.Count);
            Input[..received].ToArray().CopyTo(buffer);
            Input.RemoveRange(0, received);
            return received > 0 ? SocketError.Success : Error;
        }

        public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
        {
            sent = Math.Min(Room, buffer.Length);
            Room -= sent;
            return sent > 0 ? SocketError.Success : SocketError.WouldBlock;
        }

        public override void Close()
        {
        }
    }

    /// <summary>Reads on until there is data, as that of the framework does.</summary>
    private sealed class Engine : ITlsEngine
    {
        private readonly List<byte> _record = [];
        private int _data;

        public int MostHeld { get; private set; }

        public SslProtocols Protocol => SslProtocols.Tls13;

        public TlsCipherSuite CipherSuite => default;

        public SslApplicationProtocol ApplicationProtocol => default;

        public string ServerName => "";

        public X509Certificate2? PeerCertificate => null;

        public ICiphertextPort Port { get; set; } = null!;

        public bool TryFill()
        {
            byte[] buffer = new byte[20_000];
            while (_data == 0)
            {
                int count = Port.Receive(buffer);
                if (count <= 0)
                {
                    return count == 0;
                }

                _record.AddRange(buffer[..count]);
                MostHeld = Math.Max(MostHeld, _record.Count);
                if (_record.Count >= 5 && _record.Count == 5 + (_record[3] << 8) + _record[4])
                {
                    _data = _record.Count - 5;
                    _record.Clear();
                }
            }

            return true;
        }

        public int Read(Span<byte> buffer)
        {
            int count = Math.Min(_data, buffer.Length);
            _data -= count;
            return count;
        }

        public void Write(ReadOnlySpan<byte> bytes) => Port.Send(bytes);

        public void WriteCloseNotify()
        {
        }

        public Task HandshakeAsync(CancellationToken token) => Task.CompletedTask;

        public void Resume()
        {
        }

        public void Cancel()
        {
        }

        public void Dispose()
        {
        }
    }
}
