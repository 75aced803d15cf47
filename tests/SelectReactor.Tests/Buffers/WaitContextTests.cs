using System.IO.Pipelines;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Buffers;

/// <summary>On which thread, and with which context, the code after an awaited read goes on.</summary>
public sealed class WaitContextTests : InputBufferFixture
{
    [Test]
    public void AnAwaitUnderTheLoopsContext_GoesOnAtOnce_WithThatContext()
    {
        var context = (QueueContext)Owner.Context;
        Task<SynchronizationContext?> read = context.Run(ReadWithContext);
        Receive([1]);

        Buffer.CompletePendingRead();

        Assert.That(Owner.InvokedWithContext, Is.True);
        Assert.That(read.IsCompleted, "it was called, and not posted");
    }

    [Test]
    public void AnAwaitThatAsksForNoContext_GoesOnAtOnce_WithNone()
    {
        var context = (QueueContext)Owner.Context;
        Task read = context.Run(async () => await Buffer.ReadAsync().ConfigureAwait(false));
        Receive([1]);

        Buffer.CompletePendingRead();

        Assert.That(Owner.InvokedWithContext, Is.False);
        Assert.That(read.IsCompleted);
    }

    [Test]
    public void AnAwaitUnderAForeignContext_IsPostedThere()
    {
        var foreign = new QueueContext();
        Task read = foreign.Run(async () => await Buffer.ReadAsync());
        Receive([1]);
        Buffer.CompletePendingRead();
        Assert.That((read.IsCompleted, Owner.InvokedWithContext), Is.EqualTo((false, (bool?)null)));

        foreign.RunAll();

        Assert.That(read.IsCompleted);
    }

    [Test]
    public void AnAwaitOnAnotherThread_NeverGoesOnAsTheLoop()
    {
        ValueTask<ReadResult> read = Buffer.ReadAsync();
        Owner.RefusesAccess = true;
        using var done = new ManualResetEventSlim();
        int thread = 0;
        read.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(() =>
        {
            thread = Environment.CurrentManagedThreadId;
            done.Set();
        });
        Owner.RefusesAccess = false;
        Owner.RunDeferred();
        Receive([1]);

        Buffer.CompletePendingRead();

        Assert.That(done.Wait(TimeSpan.FromSeconds(20)));
        Assert.That(thread, Is.Not.EqualTo(Environment.CurrentManagedThreadId));
    }

    [Test]
    public void AWait_AllocatesNothing_OnceTheFirstIsOver()
    {
        Task loop = ((QueueContext)Owner.Context).Run(ReadForEver);
        Message(100);

        Assert.That(Allocations.Least(() => Message(1000)), Is.Zero);
        Buffer.End();
        Owner.RunDeferred();
        Assert.That(loop.IsCompletedSuccessfully);

        void Message(int times)
        {
            for (int i = 0; i < times; i++)
            {
                Receive([1]);
                Buffer.CompletePendingRead();
            }
        }
    }

    private async Task<SynchronizationContext?> ReadWithContext()
    {
        await Buffer.ReadAsync();
        return SynchronizationContext.Current;
    }

    private async Task ReadForEver()
    {
        ReadResult result;
        do
        {
            result = await Buffer.ReadAsync();
            Buffer.AdvanceTo(result.Buffer.End);
        }
        while (!result.IsCompleted);
    }
}
