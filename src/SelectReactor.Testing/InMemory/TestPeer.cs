using System.Buffers;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Testing.Network;

namespace SelectReactor.Testing.InMemory;

/// <summary>The other end of a test connection: a handle that does what the test says. On its own it only ends its
/// stream when the handler has closed.</summary>
internal sealed class TestPeer : IEventHandler
{
    private const int ReceiveSize = 64 * 1024;

    /// <summary>More than a test sends. A handler that sends without end is found before memory runs out.</summary>
    private const int MaxReceived = 64 * 1024 * 1024;

    private readonly ArrayBufferWriter<byte> _received = new();
    private readonly Func<bool> _isClosing;
    private readonly Handle _handle;
    private readonly SelectionKey _key;
    private ReadOnlyMemory<byte> _unsent;
    private bool _reads;
    private OutputState _output;

    public TestPeer(SimulatedHost host, IPEndPoint server, bool reads, Func<bool> isClosing)
    {
        _isClosing = isClosing;
        _reads = reads;
        _handle = host.Handles.CreateStream(server.AddressFamily);
        _handle.Connect(server);
        _key = host.Reactor.Register(_handle, reads ? Interest.Read : Interest.None, this);
        LocalEndPoint = _handle.LocalEndPoint ?? ((SimulatedHandle)_handle).Local;
    }

    private enum OutputState : byte
    {
        Open,

        /// <summary>The end goes out after what is unsent.</summary>
        Ending,
        Ended,
    }

    /// <summary>The address that it has on the server.</summary>
    public EndPoint? LocalEndPoint { get; }

    /// <summary>Whether the other side's end of stream has come.</summary>
    public bool SawEnd { get; private set; }

    /// <summary>Whether nothing more can be sent, since this side has ended its stream or cut the
    /// connection.</summary>
    public bool HasEnded => _output != OutputState.Open;

    public bool Reads
    {
        get => _reads;
        set
        {
            _reads = value;
            UpdateInterest();
        }
    }

    public void OnReady(SelectionKey key)
    {
        if ((key.Ready & Interest.Read) != 0)
        {
            Receive();
        }

        Flush();
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        _unsent = (byte[])[.. _unsent.Span, .. bytes];
        Flush();
    }

    public void EndOutput()
    {
        if (_output == OutputState.Open)
        {
            _output = OutputState.Ending;
            Flush();
        }
    }

    public void Reset()
    {
        _output = OutputState.Ended;
        _key.Cancel();
        _handle.Abort();
    }

    /// <summary>Ends the stream if the handler has closed: a handler that has closed waits for that.</summary>
    public void AnswerClose()
    {
        if (SawEnd && _isClosing())
        {
            EndOutput();
        }
    }

    public byte[] TakeReceived()
    {
        byte[] bytes = _received.WrittenSpan.ToArray();
        _received.ResetWrittenCount();
        return bytes;
    }

    private void Receive()
    {
        SocketError error;
        int count;
        do
        {
            error = _handle.Receive(_received.GetSpan(ReceiveSize), out count);
            _received.Advance(count);
            VerifySize();
        }
        while (error == SocketError.Success && count > 0);

        if (error == SocketError.Success)
        {
            SawEnd = true;
            AnswerClose();
        }
        else if (error != SocketError.WouldBlock)
        {
            Reset();
        }
    }

    private void VerifySize()
    {
        if (_received.WrittenCount > MaxReceived)
        {
            throw new SimulationException(
                $"The handler has sent {MaxReceived / (1024 * 1024)} MiB that the test has not taken. If it sends "
                + "without end, use a peer that does not read: set PeerReads to false, or pass peerReads: false.");
        }
    }

    private void Flush()
    {
        if (!_unsent.IsEmpty)
        {
            SocketError error = _handle.Send(_unsent.Span, out int sent);
            _unsent = error is SocketError.Success or SocketError.WouldBlock ? _unsent[sent..] : default;
        }

        if (_unsent.IsEmpty && _output == OutputState.Ending)
        {
            _output = OutputState.Ended;
            _handle.Shutdown(SocketShutdown.Send);
        }

        UpdateInterest();
    }

    private void UpdateInterest()
    {
        if (_key.IsValid)
        {
            Interest read = _reads && !SawEnd ? Interest.Read : Interest.None;
            _key.Interest = _unsent.IsEmpty ? read : read | Interest.Write;
        }
    }
}
