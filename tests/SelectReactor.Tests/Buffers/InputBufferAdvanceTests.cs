using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>What our input makes of the positions, the errors and the end that it is given.</summary>
public sealed class InputBufferAdvanceTests : InputBufferFixture
{
    [Test]
    public void APositionBeforeTheBytes_IsRefused_AndTheReadGoesOn()
    {
        Receive([1, 2, 3]);
        ReadOnlySequence<byte> first = Read();
        Buffer.AdvanceTo(first.GetPosition(2));
        ReadOnlySequence<byte> second = Read();

        Assert.That(() => Buffer.AdvanceTo(first.Start), Throws.InvalidOperationException);
        Assert.That(() => Buffer.AdvanceTo(first.Start, second.End), Throws.InvalidOperationException);

        AssertIsStillRead(second, [3]);
    }

    [Test]
    public void APositionBehindTheBytes_IsRefused_AndTheReadGoesOn()
    {
        Receive([1, 2, 3]);
        ReadOnlySequence<byte> bytes = Read();
        var behind = new SequencePosition(bytes.End.GetObject(), bytes.End.GetInteger() + 1);

        Assert.That(() => Buffer.AdvanceTo(behind), Throws.InvalidOperationException);
        Assert.That(() => Buffer.AdvanceTo(bytes.Start, behind), Throws.InvalidOperationException);

        AssertIsStillRead(bytes, [1, 2, 3]);
    }

    [Test]
    public void TheDefaultPosition_IsTheBeginning_AlsoBehindWhatIsConsumed()
    {
        Receive([1, 2, 3]);
        Buffer.AdvanceTo(Read().GetPosition(1));
        Read();

        Buffer.AdvanceTo(default);

        Assert.That((Buffer.Unconsumed, Buffer.Unexamined), Is.EqualTo((2, 2)));
        Assert.That(Read().ToArray(), Is.EqualTo(new byte[] { 2, 3 }));
    }

    [Test]
    public void AnAdvanceOnAnotherThread_IsRefused_AndTheReadGoesOn()
    {
        Receive([1, 2, 3]);
        ReadOnlySequence<byte> bytes = Read();
        Owner.RefusesAccess = true;

        Assert.That(() => Buffer.AdvanceTo(bytes.End), Throws.InvalidOperationException);

        Owner.RefusesAccess = false;
        AssertIsStillRead(bytes, [1, 2, 3]);
    }

    [Test]
    public void Complete_GivesAllBack_AndDropsWhatComes()
    {
        Receive(new byte[20_000]);
        Buffer.Complete();
        Assert.That((Buffer.Unconsumed, Pool.Outstanding), Is.EqualTo((0, 0)));

        Receive(new byte[20_000]);

        Assert.That((Buffer.Unconsumed, Pool.Outstanding), Is.EqualTo((0, 0)));
    }

    [Test]
    public void AnError_IsInTheTask_AndAMisuseIsThrownAtOnce()
    {
        Receive([1]);
        Read();
        Assert.That(void () => ReadTask(), Throws.InvalidOperationException);
        Buffer.AdvanceTo(default);
        Buffer.Fail();

        Assert.That(ReadTask().Exception?.InnerException, Is.SameAs(Owner.ReadError));

        Task<ReadResult> ReadTask() => Buffer.ReadAsync().AsTask();
    }

    [Test]
    public void AFailure_IsNotTakenForAnEnd_WhicheverComesFirst([Values] bool endFirst)
    {
        if (endFirst)
        {
            Buffer.End();
        }

        Buffer.Fail();
        Buffer.End();

        Assert.That(() => Buffer.TryRead(out _), Throws.Exception.SameAs(Owner.ReadError));
    }

    [Test]
    public void AFullReceiveIntoASmallRest_IsNoLittleOne()
    {
        Receive(new byte[BufferPool.SmallSize - 1100]);
        Receive(new byte[1100]);
        Buffer.AdvanceTo(Read().End);
        Receive([1]);
        Buffer.AdvanceTo(Read().End);

        Assert.That(Buffer.Reserve().Length, Is.EqualTo(BufferPool.MediumSize), "it takes two little ones to shrink");
        Buffer.Commit(0);
    }

    private void AssertIsStillRead(ReadOnlySequence<byte> bytes, byte[] expected)
    {
        Assert.That(Buffer.Unconsumed, Is.EqualTo(expected.Length));
        Assert.That(bytes.ToArray(), Is.EqualTo(expected));
        Buffer.AdvanceTo(bytes.End);
        Assert.That(Buffer.Unconsumed, Is.Zero);
    }
}
