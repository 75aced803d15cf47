using System.Net;
using System.Net.Sockets;
using SelectReactor.Epoll;

namespace SelectReactor.Epoll.Tests;

/// <summary>Numbers and bytes of Linux in terms of .NET.</summary>
[Platform("Linux")]
public sealed class NativeTests
{
    private static readonly EndPoint[] _endPoints =
    [
        new IPEndPoint(IPAddress.Loopback, 7007),
        new IPEndPoint(IPAddress.Parse("203.0.113.9"), 65535),
        new IPEndPoint(IPAddress.IPv6Loopback, 1),
        new IPEndPoint(IPAddress.Parse("::ffff:192.0.2.7"), 443),
        new IPEndPoint(IPAddress.Parse("fe80::1:2:3:4%7"), 80),
        new UnixDomainSocketEndPoint("/tmp/a socket"),
        new UnixDomainSocketEndPoint("\0abstract"),
        new UnixDomainSocketEndPoint("/" + new string('x', 106)),
    ];

    // errno(3), generic to all architectures that .NET runs on.
    [TestCase(1, SocketError.AccessDenied)]
    [TestCase(4, SocketError.Interrupted)]
    [TestCase(9, SocketError.OperationAborted)]
    [TestCase(11, SocketError.WouldBlock)]
    [TestCase(14, SocketError.Fault)]
    [TestCase(22, SocketError.InvalidArgument)]
    [TestCase(23, SocketError.TooManyOpenSockets)]
    [TestCase(24, SocketError.TooManyOpenSockets)]
    [TestCase(32, SocketError.Shutdown)]
    [TestCase(71, SocketError.SocketError)]
    [TestCase(90, SocketError.MessageSize)]
    [TestCase(95, SocketError.OperationNotSupported)]
    [TestCase(103, SocketError.ConnectionAborted)]
    [TestCase(104, SocketError.ConnectionReset)]
    [TestCase(105, SocketError.NoBufferSpaceAvailable)]
    [TestCase(107, SocketError.NotConnected)]
    [TestCase(110, SocketError.TimedOut)]
    [TestCase(111, SocketError.ConnectionRefused)]
    [TestCase(113, SocketError.HostUnreachable)]
    [TestCase(-1, SocketError.SocketError)]
    [TestCase(5000, SocketError.SocketError)]
    public void ErrorNumber_IsWhatSocketSays(int number, SocketError error) =>
        Assert.That(Native.ToSocketError(number), Is.EqualTo(error));

    // A known error of .NET has this number in its exception, unless two numbers mean the same.
    [Test]
    public void EachErrorOfTheRuntime_ComesFromItsNumber()
    {
        SocketError[] known = [.. Enum.GetValues<SocketError>()
            .Where(static error => error is not (SocketError.IOPending or SocketError.TryAgain))
            .Where(static error => new SocketException((int)error).ErrorCode is > 0 and < 134)];

        Assert.That(known, Has.Length.GreaterThan(35));
        Assert.That(
            known.Select(static error => Native.ToSocketError(new SocketException((int)error).ErrorCode)),
            Is.EqualTo(known));
    }

    [TestCaseSource(nameof(_endPoints))]
    public void Address_IsReadAsTheRuntimeReadsIt(EndPoint endPoint)
    {
        SocketAddress address = endPoint.Serialize();

        EndPoint? parsed = NativeAddress.Parse(address.Buffer.Span[..address.Size]);

        Assert.That(parsed, Is.EqualTo(endPoint.Create(address)));
        Assert.That(parsed?.ToString(), Is.EqualTo(endPoint.ToString()));
    }

    [Test]
    public void MissingOrForeignAddress_IsNone() => Assert.That(
        new[] { NativeAddress.Parse([]), NativeAddress.Parse([1]), NativeAddress.Parse([17, 0, 1, 2]) },
        Is.All.Null);

    [Test]
    public void AddressOfAUnixSocketWithoutName_IsEmpty() =>
        Assert.That(NativeAddress.Parse([1, 0])?.ToString(), Is.Empty);
}
