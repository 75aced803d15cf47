using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor.Tests.Selection;

public sealed class LoopbackPairTests
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(20);

    [Test]
    public void ASignal_MakesTheReaderReadable_AndADrainTakesItOut()
    {
        using var pair = new LoopbackPair();
        for (int i = 0; i < 10; i++)
        {
            Assert.That(pair.Reader.Poll(0, SelectMode.SelectRead), Is.False);
            pair.Signal();
            Assert.That(pair.Reader.Poll(_bound, SelectMode.SelectRead), Is.True);
            Assert.That(pair.TryDrain());
        }
    }

    [Test]
    public void ADrainOfNothing_DoesNotBlock()
    {
        using var pair = new LoopbackPair();

        Assert.That(pair.TryDrain());
    }

    [Test]
    public void SignalsThatNobodyDrains_DoNotBlock()
    {
        using var pair = new LoopbackPair();
        for (int i = 0; i < 100_000; i++)
        {
            pair.Signal();
        }

        Assert.That(pair.Reader.Poll(_bound, SelectMode.SelectRead), Is.True);
    }

    [Test]
    public void ASignalAfterTheEnd_IsNothing()
    {
        var pair = new LoopbackPair();
        pair.Dispose();
        pair.Dispose();

        Assert.That(pair.Signal, Throws.Nothing);
    }
}
