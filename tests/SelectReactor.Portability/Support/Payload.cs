namespace SelectReactor.Portability;

/// <summary>Bytes to send, and what comes back.</summary>
internal static class Payload
{
    /// <summary>Bytes that differ from place to place, so that a lost or doubled part shows.</summary>
    public static byte[] Pattern(int count)
    {
        byte[] bytes = new byte[count];
        new Random(count).NextBytes(bytes);
        return bytes;
    }

    public static void Echoes(this Peer peer, ReadOnlySpan<byte> bytes)
    {
        peer.Send(bytes);
        Check.SameBytes(bytes, peer.Receive(bytes.Length));
    }
}
