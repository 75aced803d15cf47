using System.Net.Sockets;

namespace SelectReactor.Endpoints;

/// <summary>Turns errors of the system into exceptions whose messages name the attempt.</summary>
internal static class SocketFailure
{
    public static SocketException Create(SocketError error, string attempt) =>
        new((int)error, $"{attempt}: {new SocketException((int)error).Message}.");

    public static void ThrowOnError(SocketError error, string attempt)
    {
        if (error != SocketError.Success)
        {
            throw Create(error, attempt);
        }
    }
}
