using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>A pipe of the user's that calls back on the reactor's thread.</summary>
public sealed class PipeSchedulerTests(SelectorKind selector) : ReactorFixture(selector)
{
    [Test]
    public void AReaderOfAPipe_GoesOnOnTheReactorsThread_WhoeverWrites()
    {
        const int Bytes = 200_000;
        Pipe pipe = NewPipe();
        int received = 0;
        bool alwaysHome = true;
        Task reading = Task.CompletedTask;
        Reactor.Post(() => reading = ReadAll());
        var writing = Task.Run(async () =>
        {
            for (int written = 0; written < Bytes; written += 1000)
            {
                await pipe.Writer.WriteAsync(new byte[1000]);
            }

            await pipe.Writer.CompleteAsync();
        });
        RunUntil(writing);
        RunUntil(() => reading.IsCompleted);
        reading.GetAwaiter().GetResult();

        Assert.That(received, Is.EqualTo(Bytes));
        Assert.That(alwaysHome);

        async Task ReadAll()
        {
            for (bool ended = false; !ended;)
            {
                // Without the context, so that only the scheduler can bring it back.
                ReadResult result = await pipe.Reader.ReadAsync().ConfigureAwait(false);
                alwaysHome &= Reactor.IsReactorThread;
                received += (int)result.Buffer.Length;
                ended = result.IsCompleted;
                pipe.Reader.AdvanceTo(result.Buffer.End);
            }
        }
    }

    [Test]
    public void AReaderThatIsWaitingAtDispose_IsNotLost()
    {
        Pipe pipe = NewPipe();
        Task<byte[]> reading = ReadOnce();
        Assert.That(reading.IsCompleted, Is.False, "it waits for the writer");
        Reactor.Dispose();
        ValueTask<FlushResult> writing = pipe.Writer.WriteAsync(new byte[] { 1, 2, 3 });

        Assert.That(writing.IsCompletedSuccessfully, "the writer can't help the reactor's end");
        Assert.That(reading.Wait(Bound), "the reader waits for ever");
        Assert.That(reading.Result, Is.EqualTo(new byte[] { 1, 2, 3 }));

        async Task<byte[]> ReadOnce()
        {
            ReadResult result = await pipe.Reader.ReadAsync().ConfigureAwait(false);
            return result.Buffer.ToArray();
        }
    }

    private Pipe NewPipe() => new(new PipeOptions(
        readerScheduler: Reactor.PipeScheduler, pauseWriterThreshold: 4096, resumeWriterThreshold: 2048,
        useSynchronizationContext: false));
}
