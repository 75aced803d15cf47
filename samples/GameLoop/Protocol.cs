using System.Buffers.Binary;

namespace GameLoop;

/// <summary>
/// Two messages, in big-endian order. A player sends what it wants: the number of the last frame that it saw (4 bytes)
/// and where it moves (2 signed bytes). The server sends the world: the frame (4), the number of players (2), and
/// where each of them is (2 and 2).
/// </summary>
internal static class Protocol
{
    public const int InputLength = 6;
    public const int HeaderLength = 6;
    public const int PlayerLength = 4;

    public static void WriteInput(Span<byte> message, int frame, sbyte stepX, sbyte stepY)
    {
        BinaryPrimitives.WriteInt32BigEndian(message, frame);
        message[4] = (byte)stepX;
        message[5] = (byte)stepY;
    }

    public static (int Frame, sbyte StepX, sbyte StepY) ReadInput(ReadOnlySpan<byte> message) =>
        (BinaryPrimitives.ReadInt32BigEndian(message), (sbyte)message[4], (sbyte)message[5]);

    public static void WriteHeader(Span<byte> message, int frame, int players)
    {
        BinaryPrimitives.WriteInt32BigEndian(message, frame);
        BinaryPrimitives.WriteUInt16BigEndian(message[4..], (ushort)players);
    }

    public static (int Frame, int Players) ReadHeader(ReadOnlySpan<byte> message) =>
        (BinaryPrimitives.ReadInt32BigEndian(message), BinaryPrimitives.ReadUInt16BigEndian(message[4..]));

    public static void WritePlayer(Span<byte> message, ushort x, ushort y)
    {
        BinaryPrimitives.WriteUInt16BigEndian(message, x);
        BinaryPrimitives.WriteUInt16BigEndian(message[2..], y);
    }
}
