using System.Net.Sockets;

namespace SelectReactor.Testing.Network;

/// <summary>Opens the handles of one host.</summary>
internal sealed class SimulatedHandleFactory(SimulatedHost host) : IHandleFactory
{
    public Handle CreateStream(AddressFamily family) => new SimulatedStream(host, Take(family), family);

    public Handle CreateListener(AddressFamily family) => new SimulatedListener(host, Take(family), family);

    public Handle CreateDatagram(AddressFamily family) => new SimulatedDatagram(host, Take(family), family);

    public Handle CreateSpare(AddressFamily family) => CreateStream(family);

    private int Take(AddressFamily family)
    {
        if (family is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6))
        {
            throw new SocketException(
                (int)SocketError.AddressFamilyNotSupported, $"A simulated network knows IPv4 and IPv6, not {family}.");
        }

        return host.Descriptors.IsFull
            ? throw new SocketException((int)SocketError.TooManyOpenSockets)
            : host.Descriptors.Take();
    }
}
