using SelectReactor.Dispatch;

namespace SelectReactor.Groups;

/// <summary>Ends the connections of one reactor, which goes on. For the reactor's thread only.</summary>
internal static class ReactorDrain
{
    public static Task RunAsync(Reactor reactor, TimeSpan deadline)
    {
        ClientRegistry clients = reactor.Registry;
        clients.BeginDrain();
        ReactorTimer? timer =
            deadline == Timeout.InfiniteTimeSpan ? null : reactor.Schedule(deadline, clients.EndDrain);
        var drained = new TaskCompletionSource();
        clients.WaitForDrain(() =>
        {
            timer?.Cancel();
            drained.SetResult();
        });
        return drained.Task;
    }
}
