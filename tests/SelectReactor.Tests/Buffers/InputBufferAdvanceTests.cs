using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>What our input makes of the positions, the errors and the end that it is given.</summary>
public sealed class InputBufferAdvanceTests
{
    private BufferPool _pool = null!;
    private BufferOwner _owner = null!;
    private InputBuffer _buffer = null!;

    [SetUp]
    public void Create()
    {
        _pool = new BufferPool();
        _owner = new BufferOwner();
        _buffer = new InputBuffer(_pool, _owner);
    }

    [TearDown]
    public void NothingIsOutstanding()
    {
        _buffer.Release();
        Assert.That(_pool.Outstanding, Is.Zero);
    }

    [Test]
    public void APositionBeforeTheBytes_IsRefused_AndTheReadGoesOn()
    {
        Receive([1, 2, 3]);
        ReadOnlySequence<byte> first = Read();
        _buffer.AdvanceTo(first.GetPosition(2));
        ReadOnlySequence<byte> second = Read();

        Assert.That(() => _buffer.AdvanceTo(first.Start), Throws.InvalidOperationException);
        Assert.That(() => _buffer.AdvanceTo(first.Start, second.End), Throws.InvalidOperationException);

        AssertIsStillRead(second, [3]);
    }

    [Test]
    public void APositionBehindTheBytes_IsRefused_AndTheReadGoesOn()
    {
        Receive([1, 2, 3]);
        ReadOnlySequence<byte> bytes = Read();
        var behind = new SequencePosition(bytes.End.GetObject(), bytes.End.GetInteger() + 1);

        Assert.That(() => _buffer.AdvanceTo(behind), Throws.InvalidOperationException);
        Assert.That(() => _buffer.AdvanceTo(bytes.Start, behind), Throws.InvalidOperationException);

        AssertIsStillRead(bytes, [1, 2, 3]);
    }

    [Test]
    public void TheDefaultPosition_IsTheBeginning_AlsoBehindWhatIsConsumed()
    {
        Receive([1, 2, 3]);
        _buffer.AdvanceTo(Read().GetPosition(1));
        Read();

        _buffer.AdvanceTo(default);

        Assert.That((_buffer.Unconsumed, _buffer.Unexamined), Is.EqualTo((2, 2)));
        Assert.That(Read().ToArray(), Is.EqualTo(new byte[] { 2, 3 }));
    }

    [Test]
    public void AnAdvanceOnAnotherThread_IsRefused_AndTheReadGoesOn()
    {
        Receive([1, 2, 3]);
        ReadOnlySequence<byte> bytes = Read();
        _owner.RefusesAccess = true;

        Assert.That(() => _buffer.AdvanceTo(bytes.End), Throws.InvalidOperationException);

        _owner.RefusesAccess = false;
        AssertIsStillRead(bytes, [1, 2, 3]);
    }

    [Test]
    public void Complete_GivesAllBack_AndDropsWhatComes()
    {
        Receive(new byte[20_000]);
        _buffer.Complete();
        Assert.That((_buffer.Unconsumed, _pool.Outstanding), Is.EqualTo((0, 0)));

        Receive(new byte[20_000]);

        Assert.That((_buffer.Unconsumed, _pool.Outstanding), Is.EqualTo((0, 0)));
    }

    [Test]
    public void AnError_IsInTheTask_AndAMisuseIsThrownAtOnce()
    {
        Receive([1]);
        Read();
        Assert.That(void () => ReadTask(), Throws.InvalidOperationException);
        _buffer.AdvanceTo(default);
        var error = new IOException();
        _buffer.End(error);

        Assert.That(ReadTask().Exception?.InnerException, Is.SameAs(error));

        Task<ReadResult> ReadTask() => _buffer.ReadAsync().AsTask();
    }

    [Test]
    public void TheFirstError_Stays()
    {
        var error = new IOException();
        _buffer.End(error);
        _buffer.End();
        _buffer.End(new IOException());

        Assert.That(() => _buffer.TryRead(out _), Throws.Exception.SameAs(error));
    }

    [Test]
    public void AFullReceiveIntoASmallRest_IsNoLittleOne()
    {
        Receive(new byte[BufferPool.SmallSize - 1100]);
        Receive(new byte[1100]);
        _buffer.AdvanceTo(Read().End);
        Receive([1]);
        _buffer.AdvanceTo(Read().End);

        Assert.That(_buffer.Reserve().Length, Is.EqualTo(BufferPool.MediumSize), "it takes two little ones to shrink");
        _buffer.Commit(0);
    }

    private void AssertIsStillRead(ReadOnlySequence<byte> bytes, byte[] expected)
    {
        Assert.That(_buffer.Unconsumed, Is.EqualTo(expected.Length));
        Assert.That(bytes.ToArray(), Is.EqualTo(expected));
        _buffer.AdvanceTo(bytes.End);
        Assert.That(_buffer.Unconsumed, Is.Zero);
    }

    private ReadOnlySequence<byte> Read()
    {
        Assert.That(_buffer.TryRead(out ReadResult result), Is.True);
        return result.Buffer;
    }

    private void Receive(byte[] bytes)
    {
        for (int done = 0; done < bytes.Length;)
        {
            Span<byte> room = _buffer.Reserve();
            int count = Math.Min(room.Length, bytes.Length - done);
            bytes.AsSpan(done, count).CopyTo(room);
            _buffer.Commit(count);
            done += count;
        }
    }
}
