using System.Net;
using SelectReactor.Dispatch;
using SelectReactor.Endpoints;

namespace SelectReactor.Groups;

/// <summary>One call of <see cref="ReactorGroup"/>'s <c>ListenAsync</c>: opens the parts of a listener.</summary>
internal sealed class GroupListenCall(GroupAccept shared, ListeningSocket socket, ClientSharing sharing)
{
    /// <summary>Handles on the first part's socket, for the other parts.</summary>
    private readonly Queue<Handle> _shares = [];
    private EndPoint _localEndPoint = socket.EndPoint;

    private bool CanBindAgain => socket is { IsInherited: false, EndPoint: IPEndPoint };

    /// <summary>Any thread.</summary>
    /// <param name="first">The part that opens the socket, and that accepts for all if only one does.</param>
    public async Task<GroupListener> RunAsync(ListenerPart first)
    {
        shared.Queue = sharing switch
        {
            ClientSharing.ReusePort when CanBindAgain => ClientQueue.Each,
            ClientSharing.SharedSocket or ClientSharing.Automatic => ClientQueue.Shared,
            _ => ClientQueue.OneReactor,
        };
        try
        {
            first = await OpenFirstAsync(first).ConfigureAwait(false);
            if (shared.Queue != ClientQueue.OneReactor)
            {
                await OpenOthersAsync(first).ConfigureAwait(false);
            }
        }
        catch
        {
            shared.Close();
            CloseShares();
            throw;
        }

        shared.NoteClosed();

        ReactorLog.Listening(first.Member.Reactor.Logger, _localEndPoint);
        return new GroupListener(shared, _localEndPoint);
    }

    /// <summary>Opens the socket on another reactor if the first one ends meanwhile.</summary>
    private async Task<ListenerPart> OpenFirstAsync(ListenerPart first)
    {
        while (true)
        {
            try
            {
                await first.Member.Reactor.InvokeAsync(() => first.Sockets.Open(OpenFirst, Prepare))
                    .ConfigureAwait(false);
                return first;
            }
            catch (Exception) when (!first.Member.IsRunning && shared.ChooseAcceptor() is { } other)
            {
                CloseShares();
                first = other;
            }
        }
    }

    private Handle OpenFirst(Reactor reactor) =>
        socket.Open(reactor, shared.Options, admitsOthers: shared.Queue == ClientQueue.Each);

    private void Prepare(Handle listening)
    {
        _localEndPoint = listening.LocalEndPoint ?? _localEndPoint;
        shared.Prepare(_localEndPoint);
        if (shared.Queue != ClientQueue.Shared)
        {
            return;
        }

        while (_shares.Count < shared.Parts.Count - 1)
        {
            if (listening.ShareListener() is { } share)
            {
                _shares.Enqueue(share);
            }
            else if (sharing == ClientSharing.Automatic)
            {
                shared.Queue = ClientQueue.OneReactor;
                return;
            }
            else
            {
                throw new NotSupportedException(
                    "ClientSharing.SharedSocket needs reactors on epoll: call UseEpoll() on the ReactorGroupOptions, "
                    + "or choose another ClientSharing.");
            }
        }
    }

    private async Task OpenOthersAsync(ListenerPart first)
    {
        Func<Reactor, Handle> open = _ => _shares.Dequeue();
        if (shared.Queue == ClientQueue.Each)
        {
            ListenerOptions options = shared.Options.Copy();
            options.ReusePort = true;
            var again = new ListeningSocket(_localEndPoint, options);
            open = reactor => again.Open(reactor, options);
        }

        foreach (ListenerPart part in shared.Parts.Where(part => part != first && part.Member.IsRunning))
        {
            try
            {
                await part.Member.Reactor.InvokeAsync(() => part.Sockets.Open(open, static _ => { }))
                    .ConfigureAwait(false);
            }
            catch (Exception) when (!part.Member.IsRunning && shared.ChooseAcceptor() is not null)
            {
                // This reactor has ended alone meanwhile: the others serve.
            }
        }

        // Of reactors that have ended.
        CloseShares();
    }

    private void CloseShares()
    {
        while (_shares.TryDequeue(out Handle? share))
        {
            share.Close();
        }
    }
}
