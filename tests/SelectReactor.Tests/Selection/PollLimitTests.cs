using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor.Tests.Selection;

/// <summary>How the size of one system call is found, when the process may not open as many files as it has
/// sockets.</summary>
public sealed class PollLimitTests
{
    [Test]
    public void WithoutAFailure_AnySizeIsAllowed() => Assert.That(new PollLimit().Allows(int.MaxValue));

    [Test]
    public void AfterAFailure_HalfTheSizeIsAllowed()
    {
        var limit = new PollLimit();
        limit.Lower(9);

        Assert.That(limit.Max, Is.EqualTo(4));
        Assert.That(limit.Allows(4));
        Assert.That(limit.Allows(5), Is.False);
    }

    [Test]
    public void AnyLargerSize_IsTriedAgainAfterAWhile()
    {
        var limit = new PollLimit();
        limit.Lower(10);
        int refused = 0;
        while (!limit.Allows(10))
        {
            refused++;
        }

        Assert.That(refused, Is.EqualTo(1000));
    }

    [TestCase(SocketError.InvalidArgument, 2, true)]
    [TestCase(SocketError.InvalidArgument, 1, false)]
    [TestCase(SocketError.NoBufferSpaceAvailable, 2, false)]
    public void OnlyAnInvalidArgument_OfSeveralSockets_IsALimit(SocketError error, int sockets, bool expected) =>
        Assert.That(PollLimit.Explains(new SocketException((int)error), sockets), Is.EqualTo(expected));
}
