using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Hostile;

/// <summary>F40, L17: peers that announce more than a server of messages takes.</summary>
[TestFixture("select")]
[TestFixture("epoll")]
public sealed class FrameBombTests(string selector)
{
    private const int Peers = 200;
    private const int MaxBytes = 64 * 1024;
    private ReactorThread _thread = null!;
    private EndPoint _address = null!;

    private static byte[] Honest => [0, 0, 0, 5, .. "hello"u8];

    // Lengths of up to 64 bits, those that look negative among them, and a varint without an end.
    private static IEnumerable<TestCaseData> Bombs =>
    [
        new(LengthField.UInt32BigEndian, new byte[] { 0x00, 0x01, 0x00, 0x01 }),
        new(LengthField.UInt32BigEndian, new byte[] { 0x80, 0x00, 0x00, 0x00 }),
        new(LengthField.UInt32BigEndian, new byte[] { 0xFF, 0xFF, 0xFF, 0xFF }),
        new(LengthField.UInt64BigEndian, new byte[] { 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }),
        new(LengthField.UInt64BigEndian, new byte[] { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }),
        new(LengthField.Varint, Enumerable.Repeat((byte)0xFF, 11).ToArray()),
    ];

    [SetUp]
    public void Start() =>
        _thread = new ReactorThread(selector == "epoll" ? new ReactorOptions().UseEpoll() : new ReactorOptions());

    [TearDown]
    public void Stop()
    {
        _thread.Dispose();
        Assert.That(_thread.Reactor.Buffers.Outstanding, Is.Zero, "segments not given back");
    }

    [TestCaseSource(nameof(Bombs))]
    public void ALengthOverTheLimit_EndsTheConnection_AndTakesNoMemory(LengthField field, byte[] bomb)
    {
        Listen(field);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Client[] clients = [.. Enumerable.Range(0, Peers).Select(_ => new Client(_address))];
        foreach (Client client in clients)
        {
            client.Socket.Send(bomb);
        }

        foreach (Client client in clients)
        {
            Assert.That(client.Receive(1), Is.Null, "the connection ends");
            client.Dispose();
        }

        Assert.That(GC.GetTotalMemory(forceFullCollection: true) - before, Is.LessThan(Peers * MaxBytes));
    }

    // What is announced is within the limit and never comes: that costs the peer's own bytes, and no more.
    [Test]
    public void AMessageThatNeverComes_TakesNoMemory_AndOthersAreServed()
    {
        Listen(LengthField.UInt32BigEndian);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        Client[] clients = [.. Enumerable.Range(0, Peers).Select(_ => new Client(_address))];
        foreach (Client client in clients)
        {
            client.Socket.Send([0x00, 0x01, 0x00, 0x00]);
        }

        Assert.That(Client.Echoes(_address, Honest));
        Assert.That(GC.GetTotalMemory(forceFullCollection: true) - before, Is.LessThan(Peers * MaxBytes / 4));
        Array.ForEach(clients, static client => client.Dispose());
    }

    private void Listen(LengthField field)
    {
        _address = _thread.Reactor.ListenAsync(new IPEndPoint(IPAddress.Loopback, 0), new Echo(field))
            .WaitAsync(TimeSpan.FromSeconds(15)).GetAwaiter().GetResult().LocalEndPoint;
    }

    private sealed class Echo(LengthField field) : MessageHandler<ReadOnlySequence<byte>, ReadOnlySpan<byte>>(
        new LengthPrefixDecoder(field, MaxBytes), new LengthPrefixEncoder(field))
    {
        protected override void OnMessage(Connection connection, ReadOnlySequence<byte> message) =>
            Send(connection, message.ToArray());
    }
}
