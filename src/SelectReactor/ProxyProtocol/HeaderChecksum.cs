using System.Numerics;

namespace SelectReactor.ProxyProtocol;

/// <summary>CRC32c as in RFC 4960, appendix B.</summary>
internal static class HeaderChecksum
{
    public static uint Of(ReadOnlySpan<byte> bytes)
    {
        uint checksum = uint.MaxValue;
        foreach (byte next in bytes)
        {
            checksum = BitOperations.Crc32C(checksum, next);
        }

        return ~checksum;
    }
}
