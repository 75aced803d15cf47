using System.Threading.Channels;

namespace SelectReactor.Web;

/// <summary>The requests that wait until the test answers them.</summary>
internal sealed class Pending
{
    private readonly Channel<PendingRequest> _requests = Channel.CreateUnbounded<PendingRequest>();

    /// <summary>The next request that has come and was not taken yet.</summary>
    public async Task<PendingRequest> TakeAsync(CancellationToken bound) => await _requests.Reader.ReadAsync(bound);

    public async Task<PendingRequest[]> TakeAsync(int count, CancellationToken bound)
    {
        var requests = new PendingRequest[count];
        for (int i = 0; i < count; i++)
        {
            requests[i] = await TakeAsync(bound);
        }

        return requests;
    }

    /// <summary>Waits for the test's answer. The test sees when <paramref name="aborted"/> fires.</summary>
    public async Task<string> WaitAsync(CancellationToken aborted)
    {
        var request = new PendingRequest();
        await using CancellationTokenRegistration registration = aborted.Register(request.Abort);
        _requests.Writer.TryWrite(request);
        return await request.Answered;
    }
}

/// <summary>A request that waits for its answer.</summary>
internal sealed class PendingRequest
{
    private readonly TaskCompletionSource<string> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the answer, or is cancelled when the client has gone.</summary>
    public Task<string> Answered => _answer.Task;

    /// <summary>Completes when the server knows that the client has gone.</summary>
    public Task Aborted => _aborted.Task;

    public void Answer(string text) => _answer.TrySetResult(text);

    public void Abort()
    {
        _aborted.TrySetResult();
        _answer.TrySetCanceled();
    }
}
