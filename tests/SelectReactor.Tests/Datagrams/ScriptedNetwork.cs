using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Datagrams;

/// <summary>One datagram handle whose results a test scripts, and a selector that reports it ready for what there is:
/// for errors that a real network does not make on demand.</summary>
internal sealed class ScriptedNetwork : IHandleFactory, ISelector
{
    private SelectorEntry? _entry;

    public ScriptedNetwork(TimeProvider? time = null)
    {
        Reactor = new Reactor(new ReactorOptions
        {
            SelectorFactory = () => this,
            HandleFactory = this,
            TimeProvider = time ?? TimeProvider.System,
            Logger = Log,
        });
    }

    public static IPEndPoint Peer { get; } = new(IPAddress.Loopback, 9);

    public Reactor Reactor { get; }

    public ListLogger Log { get; } = new();

    public ScriptedHandle Handle { get; } = new();

    public Interest Interest => _entry?.Interest ?? Interest.None;

    /// <summary>Thrown by the next change of interest.</summary>
    public Exception? Refusal { get; set; }

    /// <summary>How long the last wait could have been.</summary>
    public TimeSpan LastWait { get; private set; }

    public Handle CreateStream(AddressFamily family) => throw new NotSupportedException();

    public Handle CreateListener(AddressFamily family) => throw new NotSupportedException();

    public Handle CreateDatagram(AddressFamily family) => Handle;

    public void Add(SelectorEntry entry) => _entry = entry;

    public void Update(SelectorEntry entry, Interest previous)
    {
        if (Refusal is { } refusal)
        {
            Refusal = null;
            throw refusal;
        }
    }

    public void Remove(SelectorEntry entry) => _entry = null;

    public void Select(TimeSpan wait, List<SelectorEntry> ready)
    {
        LastWait = wait;
        if (_entry is not { } entry)
        {
            return;
        }

        Interest now = (Handle.Incoming.Count > 0 ? Interest.Read : Interest.None)
            | (Handle.HasRoom ? Interest.Write : Interest.None);
        if ((now & entry.Interest) != Interest.None)
        {
            entry.Ready = now & entry.Interest;
            ready.Add(entry);
        }
    }

    public void Wake()
    {
    }

    public void Dispose() => Reactor.Dispose();

    internal sealed class ScriptedHandle : Handle
    {
        private bool _isClosed;
        private EndPoint? _peer;

        /// <summary>What receives find, in order.</summary>
        public Queue<(SocketError Error, byte[] Bytes)> Incoming { get; } = new();

        /// <summary>What sends say, in order; then success.</summary>
        public Queue<SocketError> SendResults { get; } = new();

        public List<byte[]> Sent { get; } = [];

        public bool HasRoom { get; set; }

        /// <summary>Called when the handle is bound.</summary>
        public Action? Bound { get; set; }

        public override bool IsClosed => _isClosed;

        public override EndPoint? LocalEndPoint => new IPEndPoint(IPAddress.Loopback, 7);

        public override EndPoint? RemoteEndPoint => _peer;

        public override SocketError SetOption(SocketOptionLevel level, SocketOptionName name, int value) =>
            SocketError.Success;

        public override SocketError Bind(EndPoint localEndPoint)
        {
            Bound?.Invoke();
            return SocketError.Success;
        }

        public override SocketError Connect(EndPoint remoteEndPoint)
        {
            _peer = remoteEndPoint;
            return SocketError.Success;
        }

        public override SocketError Receive(Span<byte> buffer, out int received)
        {
            if (!Incoming.TryDequeue(out (SocketError Error, byte[] Bytes) next))
            {
                received = 0;
                return SocketError.WouldBlock;
            }

            received = Math.Min(next.Bytes.Length, buffer.Length);
            next.Bytes.AsSpan(0, received).CopyTo(buffer);
            return received < next.Bytes.Length ? SocketError.MessageSize : next.Error;
        }

        public override SocketError ReceiveFrom(Span<byte> buffer, SocketAddress sender, out int received)
        {
            Peer.Serialize().Buffer.CopyTo(sender.Buffer);
            sender.Size = Peer.Serialize().Size;
            return Receive(buffer, out received);
        }

        public override SocketError Send(ReadOnlySpan<byte> buffer, out int sent)
        {
            sent = 0;
            if (SendResults.TryDequeue(out SocketError error) && error != SocketError.Success)
            {
                return error;
            }

            Sent.Add(buffer.ToArray());
            return SocketError.Success;
        }

        public override SocketError SendTo(ReadOnlySpan<byte> datagram, SocketAddress receiver, out int sent) =>
            Send(datagram, out sent);

        public override void Close() => _isClosed = true;
    }
}
