using System.Text;

namespace SelectReactor.Buffers;

/// <summary>The first bytes of a peer that speaks another protocol, in messages for whoever looks for the wrong port
/// or option.</summary>
internal static class FirstBytes
{
    private const int MaxShown = 8;

    private static readonly string[] _http =
        ["GET ", "HEAD ", "POST ", "PUT ", "OPTIONS ", "CONNECT ", "PRI ", "HTTP/"];

    /// <summary>Some of the bytes in hexadecimal and, if all of them can be printed, as text.</summary>
    public static string Show(ReadOnlySpan<byte> bytes)
    {
        bytes = bytes[..Math.Min(bytes.Length, MaxShown)];
        string digits = Convert.ToHexString(bytes);
        return bytes.ContainsAnyExceptInRange((byte)' ', (byte)'~')
            ? digits
            : $"{digits} (\"{Encoding.ASCII.GetString(bytes)}\")";
    }

    public static bool AreHttp(ReadOnlySpan<byte> bytes)
    {
        foreach (string start in _http)
        {
            if (Ascii.Equals(bytes[..Math.Min(bytes.Length, start.Length)], start))
            {
                return true;
            }
        }

        return false;
    }

    public static bool AreProxyHeader(ReadOnlySpan<byte> bytes) =>
        bytes.StartsWith("PROX"u8) || bytes.StartsWith("\r\n\r\n"u8);
}
