using SelectReactor;

namespace EchoClient;

/// <summary>What is said to the server, and what is made of its answers.</summary>
internal abstract class Exchange : ConnectionHandler
{
    /// <summary>Everything is over: report, or throw an <see cref="IOException"/> that says what is missing.</summary>
    public virtual void Conclude(CloseReason reason)
    {
        // What went wrong on this side: a callback's exception, or the error of our own Abort.
        if (reason.Kind == CloseKind.HandlerFault || reason is { Kind: CloseKind.Aborted, Error: IOException })
        {
            throw reason.Error!;
        }

        if (reason.Kind is not (CloseKind.Local or CloseKind.PeerClosed))
        {
            throw new IOException($"The connection was lost: {reason.Error?.Message ?? reason.Kind.ToString()}.");
        }
    }
}
