using System.Buffers;
using System.Net;
using System.Net.Sockets;
using BenchmarkDotNet.Attributes;

namespace SelectReactor.Benchmarks;

/// <summary>
/// One message there and back over loopback. The peer is a blocking socket on the same thread, so the figure holds
/// the reactor's ticks and the kernel's work, and no thread switch.
/// </summary>
[MemoryDiagnoser]
public class EchoBenchmark
{
    private Reactor _reactor = null!;
    private Listener _listener = null!;
    private Socket _peer = null!;
    private byte[] _message = [];
    private byte[] _reply = [];

    [Params(32, 4096)]
    public int MessageBytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _message = new byte[MessageBytes];
        _reply = new byte[MessageBytes];
        Random.Shared.NextBytes(_message);

        _reactor = new Reactor();
        _listener = _reactor.Listen(new IPEndPoint(IPAddress.Loopback, 0), new EchoHandler());
        _peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _peer.Connect(_listener.LocalEndPoint!);
        RoundTrip();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _peer.Dispose();
        _listener.Dispose();
        _reactor.Dispose();
    }

    [Benchmark]
    public int RoundTrip()
    {
        _peer.Send(_message);
        while (_peer.Available < _reply.Length) _reactor.RunOnce(TimeSpan.Zero);
        return _peer.Receive(_reply);
    }

    private sealed class EchoHandler : IConnectionHandler
    {
        public void OnReadable(Connection connection)
        {
            if (connection.Input.TryRead(out var result))
            {
                foreach (var segment in result.Buffer) connection.Output.Write(segment.Span);
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }
    }
}
