using System.Buffers;
using BenchmarkDotNet.Attributes;
using SelectReactor.Connections;

namespace SelectReactor.Benchmarks;

/// <summary>One message to many connections, and the tick that sends it: as many single writes against one broadcast
/// of a group. The handles take every byte at once, so the figures are the library's share, without the
/// system's.</summary>
[MemoryDiagnoser]
public class GroupBenchmark
{
    private readonly List<Connection> _members = [];
    private Reactor _reactor = null!;
    private ConnectionGroup _group = null!;
    private byte[] _message = [];

    [Params(1000, 9000)]
    public int Members { get; set; }

    [Params(100, 1024, 16384)]
    public int MessageBytes { get; set; }

    [GlobalSetup]
    public void SetUp() => SetUp(static () => new SinkHandle());

    [GlobalCleanup]
    public void Cleanup() => _reactor.Dispose();

    [Benchmark(Baseline = true)]
    public int SingleWrites()
    {
        WriteEach();
        return _reactor.RunOnce(TimeSpan.Zero);
    }

    [Benchmark]
    public int Broadcast()
    {
        _group.Broadcast(_message);
        return _reactor.RunOnce(TimeSpan.Zero);
    }

    /// <summary>The memory that one message takes while no member can send it, which BenchmarkDotNet does not
    /// show.</summary>
    public static void PrintMemory()
    {
        foreach (int members in (int[])[1000, 9000])
        {
            foreach (int bytes in (int[])[100, 1024, 16384])
            {
                long single = Held(members, bytes, static benchmark => benchmark.WriteEach());
                long group = Held(members, bytes, static benchmark => benchmark._group.Broadcast(benchmark._message));
                Console.WriteLine(
                    $"{members} members, {bytes} bytes: {single / 1024:N0} KiB in single writes, "
                    + $"{group / 1024:N0} KiB in a group");
            }
        }
    }

    private static long Held(int members, int bytes, Action<GroupBenchmark> send)
    {
        var benchmark = new GroupBenchmark { Members = members, MessageBytes = bytes };
        benchmark.SetUp(static () => new FullHandle());
        long before = GC.GetTotalMemory(forceFullCollection: true);
        send(benchmark);
        long held = GC.GetTotalMemory(forceFullCollection: true) - before;
        benchmark.Cleanup();
        return held;
    }

    private void WriteEach()
    {
        foreach (Connection member in _members)
        {
            member.Output.Write(_message);
        }
    }

    private void SetUp(Func<Handle> makeHandle)
    {
        _message = new byte[MessageBytes];
        _reactor = new Reactor(new ReactorOptions { SelectorFactory = static () => new IdleSelector() });
        _group = new ConnectionGroup(_reactor);
        for (int i = 0; i < Members; i++)
        {
            var connection = new StreamConnection(
                _reactor,
                new Opened(makeHandle()),
                new ConnectionOptions(),
                pauseReadingWhenOutputIsFull: false,
                onFinished: null);
            connection.Register();
            connection.Open(new SilentHandler());
            _members.Add(connection);
            _group.Add(connection);
        }
    }

    private sealed class SilentHandler : ConnectionHandler
    {
        public override void OnReadable(Connection connection)
        {
        }
    }

    /// <summary>A handle without room.</summary>
    private sealed class FullHandle : Handle
    {
        public override bool IsClosed => false;

        public override void Close()
        {
        }
    }

    /// <summary>Nothing is ever ready.</summary>
    private sealed class IdleSelector : ISelector
    {
        public void Add(SelectorEntry entry)
        {
        }

        public void Update(SelectorEntry entry, Interest previous)
        {
        }

        public void Remove(SelectorEntry entry)
        {
        }

        public void Select(TimeSpan wait, List<SelectorEntry> ready)
        {
        }

        public void Wake()
        {
        }

        public void Dispose()
        {
        }
    }
}
