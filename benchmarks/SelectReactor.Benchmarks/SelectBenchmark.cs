using System.Net.Sockets;
using BenchmarkDotNet.Attributes;
using SelectReactor.Selection;

namespace SelectReactor.Benchmarks;

/// <summary>
/// One wait over a number of sockets of which one is ready: <c>Socket.Select</c> on a fresh list each time, on the
/// list of <see cref="SelectSelector"/>, through that selector with all but the ready one cold, and through epoll.
/// Each socket needs two descriptors here: 9,000 need a limit on open files above 18,000.
/// </summary>
[MemoryDiagnoser]
public class SelectBenchmark
{
    private readonly List<SelectorEntry> _ready = [];
    private readonly SocketList _list = new(forWriting: false);
    private SocketPairs _pairs = null!;
    private Reactor _owner = null!;
    private ISelector _selector = null!;

    [Params(1, 10, 100, 1_000, 9_000)]
    public int Sockets { get; set; }

    [GlobalSetup(Target = nameof(FreshList))]
    public void SetUpSockets()
    {
        _pairs = new SocketPairs(Sockets);
        _pairs.Far[0].Send([1]);
    }

    [GlobalSetup(Target = nameof(OwnList))]
    public void SetUpOwnList()
    {
        SetUpSockets();
        foreach (Socket socket in _pairs.Near)
        {
            _list.Add(socket, watched: null);
        }
    }

    [GlobalSetup(Target = nameof(HotSet))]
    public void SetUpHotSet()
    {
        SetUp(static () => new SelectSelector());
        for (int i = 0; i < 10_000 && ((SelectSelector)_selector).Hot > 2; i++)
        {
            Select();
        }
    }

    [GlobalSetup(Target = nameof(Epoll))]
    public void SetUpEpoll() => SetUp(EpollSelector.Create);

    [GlobalCleanup]
    public void CleanUp()
    {
        _owner?.Dispose();
        _pairs.Dispose();
    }

    [Benchmark(Baseline = true)]
    public int FreshList()
    {
        var list = new List<Socket>(_pairs.Near);
        Socket.Select(list, null, null, 0);
        return list.Count;
    }

    [Benchmark]
    public int OwnList()
    {
        _list.Show(Asked.All, 0, _list.Members);
        Socket.Select(_list, null, null, 0);
        return _list.Count;
    }

    [Benchmark]
    public int HotSet() => Select();

    [Benchmark]
    public int Epoll() => Select();

    private int Select()
    {
        _ready.ForEach(static entry => entry.Ready = Interest.None);
        _ready.Clear();
        _selector.Select(TimeSpan.Zero, _ready);
        return _ready.Count;
    }

    private void SetUp(Func<ISelector> create)
    {
        SetUpSockets();
        _selector = create();
        _owner = new Reactor(new ReactorOptions { SelectorFactory = () => _selector });
        var handler = new Nobody();
        foreach (Socket socket in _pairs.Near)
        {
            _owner.Register(new SocketHandle(socket), Interest.Read, handler);
        }
    }

    private sealed class Nobody : IEventHandler
    {
        public void OnReady(SelectionKey key)
        {
        }
    }
}
