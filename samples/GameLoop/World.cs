using System.Buffers;
using System.IO.Pipelines;
using SelectReactor;

namespace GameLoop;

/// <summary>The server's side: the players, where they are, and what they are told. One handler serves all
/// connections, and keeps what belongs to one in its <see cref="Connection.UserState"/>.</summary>
internal sealed class World(TimeProvider time) : ConnectionHandler
{
    private const int Size = 10_000;
    private const int RememberedFrames = 256;

    private readonly List<Player> _players = [];
    private readonly long[] _sentAt = new long[RememberedFrames];
    private byte[] _state = [];

    public int Frame { get; private set; }

    public int Players => _players.Count;

    /// <summary>States that were not sent to a player who was still receiving older ones.</summary>
    public long Skipped { get; private set; }

    public static ListenerOptions Options { get; } = new()
    {
        // Few states wait for a slow player, in the system or here. One who takes nothing for ten seconds is cut.
        Connection = new ConnectionOptions
        {
            SendBufferBytes = 16 * 1024,
            OutputHighWaterMark = 1,
            OutputLowWaterMark = 0,
            WriteProgressTimeout = TimeSpan.FromSeconds(10),
        },
    };

    public override void OnConnected(Connection connection)
    {
        var player = new Player(connection, _players.Count);
        connection.UserState = player;
        _players.Add(player);
    }

    public override void OnReadable(Connection connection)
    {
        if (!connection.Input.TryRead(out ReadResult result))
        {
            return;
        }

        var player = (Player)connection.UserState!;
        var reader = new SequenceReader<byte>(result.Buffer);
        Span<byte> message = stackalloc byte[Protocol.InputLength];
        while (reader.TryCopyTo(message))
        {
            reader.Advance(message.Length);
            (player.SeenFrame, player.StepX, player.StepY) = Protocol.ReadInput(message);
        }

        // The rest of a message waits, examined, for the bytes that it lacks.
        connection.Input.AdvanceTo(reader.Position, result.Buffer.End);
    }

    public override void OnStopping(Connection connection) => connection.Close();

    public override void OnClosed(Connection connection, CloseReason reason) =>
        _players.Remove((Player)connection.UserState!);

    /// <summary>Moves everybody by one frame.</summary>
    public void Step(Lag lag)
    {
        foreach (Player player in _players)
        {
            player.X = Math.Clamp(player.X + player.StepX, 0, Size);
            player.Y = Math.Clamp(player.Y + player.StepY, 0, Size);
            if (player.SeenFrame > Math.Max(player.AnsweredFrame, Frame - RememberedFrames))
            {
                player.AnsweredFrame = player.SeenFrame;
                lag.Add(time.GetElapsedTime(_sentAt[player.SeenFrame % RememberedFrames]));
            }
        }
    }

    /// <summary>Tells everybody where everybody is. The bytes are made once.</summary>
    public void Broadcast()
    {
        Frame++;
        _sentAt[Frame % RememberedFrames] = time.GetTimestamp();
        ReadOnlySpan<byte> state = WriteState();
        foreach (Player player in _players)
        {
            // The next state replaces this one, so a slow player gets fewer of them, not older ones.
            if (!player.Connection.IsWritable || !player.Connection.TryWrite(state))
            {
                Skipped++;
            }
        }
    }

    private ReadOnlySpan<byte> WriteState()
    {
        int length = Protocol.HeaderLength + (_players.Count * Protocol.PlayerLength);
        if (_state.Length < length)
        {
            _state = new byte[length * 2];
        }

        Span<byte> rest = _state;
        Protocol.WriteHeader(rest, Frame, _players.Count);
        rest = rest[Protocol.HeaderLength..];
        foreach (Player player in _players)
        {
            Protocol.WritePlayer(rest, (ushort)player.X, (ushort)player.Y);
            rest = rest[Protocol.PlayerLength..];
        }

        return _state.AsSpan(0, length);
    }

    private sealed class Player(Connection connection, int number)
    {
        public Connection Connection { get; } = connection;

        public int X { get; set; } = number * 97 % Size;

        public int Y { get; set; } = number * 61 % Size;

        public sbyte StepX { get; set; }

        public sbyte StepY { get; set; }

        public int SeenFrame { get; set; }

        public int AnsweredFrame { get; set; }
    }
}
