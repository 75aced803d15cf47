using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;
using static SelectReactor.Tests.Selection.SoundSelector;

namespace SelectReactor.Tests.Selection;

/// <summary>
/// A reactor with a <see cref="SelectSelector"/>, connections to it, and the naive model that it is held against: one
/// poll of each socket. Throws when a report is not true or does not come.
/// </summary>
internal sealed class SelectorWorld : IEventHandler, IDisposable
{
    /// <summary>A slice of the cold ones is due after twenty readings of the clock, two of them a tick, and a round is
    /// two slices. The first look at a slice may do nothing but evict.</summary>
    private const int MostTicksPerSlice = 11;

    private const int SmallBuffer = 4096;
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(20);
    private readonly byte[] _bytes = new byte[64 * 1024];
    private readonly Socket _listener = Peer.Listen();
    private readonly List<WorldConnection> _connections = [];
    private readonly Dictionary<SelectionKey, WorldConnection> _registered = [];
    private readonly Queue<SelectorOperation> _during = new();
    private readonly SelectSelector _selector = new(new CountingClock());
    private readonly Reactor _reactor;
    private readonly int _mostConnections;
    private readonly int _maxSocketsAtOnce;
    private int _tick;

    public SelectorWorld(int connections, int mostConnections, int maxSocketsAtOnce)
    {
        _maxSocketsAtOnce = maxSocketsAtOnce;
        _mostConnections = mostConnections;
        _listener.ReceiveBufferSize = _listener.SendBufferSize = SmallBuffer;
        _reactor = new Reactor(new ReactorOptions
        {
            SelectorFactory = () => new SoundSelector(_selector),
            PropagateExceptions = true,
            Logger = NullLogger.Instance,
        });
        for (int i = 0; i < connections; i++)
        {
            Open(Interest.Read);
        }
    }

    /// <summary>Lets those cool down that are quiet.</summary>
    public void CoolDown()
    {
        for (int i = 0; i < WatchedSocket.MaxPatience + 10; i++)
        {
            Tick();
        }

        Require(_selector.Hot < _connections.Count / 2, "Those that are quiet stay hot.");
    }

    public void Run(SelectorStep step)
    {
        Array.ForEach(step.Before, Apply);
        Array.ForEach(step.During, _during.Enqueue);
        Tick();
        _during.Clear();
        CheckThatAllIsSeen();
    }

    public void OnReady(SelectionKey key)
    {
        // An earlier callback of the tick may have cancelled or narrowed what the wait found.
        Require(_registered.TryGetValue(key, out WorldConnection? connection), "Called for a key that is cancelled.");
        Require(connection!.CalledIn != _tick, "Called twice for a key.");
        Require(connection.RegisteredIn != _tick, "Called for a key that was registered after the wait.");
        connection.CalledIn = _tick;
        if (key.IsEvicted)
        {
            connection.Key = null;
            _registered.Remove(key);
        }
        else
        {
            Require(key.Ready != Interest.None && (key.Ready & ~key.Interest) == 0, "Called for what was not asked.");
            connection.Seen |= key.Ready;
        }

        if (_during.TryDequeue(out SelectorOperation operation))
        {
            Apply(operation);
        }
    }

    public void Dispose()
    {
        _reactor.Dispose();
        _listener.Dispose();
        foreach (WorldConnection connection in _connections)
        {
            connection.Near.Close();
            CloseHard(connection.Far);
        }
    }

    private static void CloseHard(Socket socket)
    {
        // Thousands of connections in the time-wait state would be left otherwise.
        if (!socket.SafeHandle.IsClosed)
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        }
    }

    private void CheckThatAllIsSeen()
    {
        bool withHotSet = _connections.Count >= HotSet.MaxMembersWithout;
        _connections.ForEach(static connection => connection.Seen = Interest.None);
        var lost = new List<SelectionKey>();
        var expected = new Dictionary<WorldConnection, Interest>();
        foreach ((SelectionKey key, WorldConnection connection) in _registered)
        {
            if (!connection.Near.IsClosed)
            {
                expected.Add(connection, connection.Poll(key.Interest));
            }
            else if (key.Interest != Interest.None)
            {
                lost.Add(key);
            }
        }

        int slices = 2 * (1 + (_connections.Count / Math.Min(_maxSocketsAtOnce, 40)));
        for (int i = withHotSet ? MostTicksPerSlice * slices : lost.Count > 0 ? 2 : 1; i > 0; i--)
        {
            Tick();
        }

        Require(!lost.Exists(_registered.ContainsKey), "A socket that is closed is not evicted.");
        Require(expected.All(static e => (e.Key.Seen & e.Value) == e.Value), "What is ready is not reported.");
    }

    private void Tick()
    {
        _tick++;
        if (_maxSocketsAtOnce < int.MaxValue)
        {
            _selector.Limit.Lower(_maxSocketsAtOnce * 2);
        }

        int reported = 0;
        int served = _reactor.RunOnce(TimeSpan.Zero);
        _connections.ForEach(connection => reported += connection.CalledIn == _tick ? 1 : 0);
        Require(served == reported, $"{served} were served, {reported} were told of it.");
    }

    private void Apply(SelectorOperation operation)
    {
        if (operation.What == Happening.Open || _connections.Count == 0)
        {
            if (_connections.Count < _mostConnections)
            {
                Open(operation.Interest);
            }

            return;
        }

        WorldConnection connection = _connections[operation.Target % _connections.Count];
        switch (operation.What)
        {
            case Happening.ChangeInterest:
                if (connection.Key is not null)
                {
                    connection.Key.Interest = operation.Interest;
                }

                break;
            case Happening.Cancel:
                Cancel(connection);
                break;
            case Happening.Register when connection.Key is null && !connection.Near.IsClosed:
                Register(connection, operation.Interest);
                break;
            case Happening.RegisterAnew when !connection.Near.IsClosed:
                Cancel(connection);
                Register(connection, operation.Interest);
                break;
            case Happening.CloseBehindItsBack:
                connection.Near.Socket.Dispose();
                break;
            case Happening.Wake:
                _reactor.Stop();
                break;
            default:
                if (!connection.Near.IsClosed)
                {
                    Exchange(operation.What, connection.Near, connection.Far);
                }

                break;
        }
    }

    private void Exchange(Happening what, SocketHandle near, Socket far)
    {
        switch (what)
        {
            case Happening.Drain:
                while (near.Receive(_bytes, out int received) == SocketError.Success && received > 0)
                {
                }

                break;
            case Happening.FillSendBuffer:
                while (near.Send(_bytes, out _) == SocketError.Success)
                {
                }

                break;
            case Happening.Send when !far.SafeHandle.IsClosed:
                far.Send([1], SocketFlags.None, out _);
                break;
            case Happening.EndStream when !far.SafeHandle.IsClosed:
                far.Shutdown(SocketShutdown.Send);
                break;
            case Happening.Reset:
                CloseHard(far);
                break;
            case Happening.ReadAll when !far.SafeHandle.IsClosed:
                while (far.Receive(_bytes, SocketFlags.None, out _) > 0)
                {
                }

                break;
        }

        if (what is Happening.Send or Happening.EndStream or Happening.Reset)
        {
            Require(near.Socket.Poll(_bound, SelectMode.SelectRead), "Nothing arrives.");
        }
    }

    private void Open(Interest interest)
    {
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveBufferSize = SmallBuffer,
        };
        far.Connect(_listener.LocalEndPoint!);
        far.Blocking = false;
        var connection = new WorldConnection(new SocketHandle(_listener.Accept()), far);
        _connections.Add(connection);
        Register(connection, interest);
    }

    private void Register(WorldConnection connection, Interest interest)
    {
        connection.Key = _reactor.Register(connection.Near, interest, this);
        connection.RegisteredIn = _tick;
        _registered.Add(connection.Key, connection);
    }

    private void Cancel(WorldConnection connection)
    {
        if (connection.Key is { } key)
        {
            key.Cancel();
            _registered.Remove(key);
            connection.Key = null;
        }
    }
}
