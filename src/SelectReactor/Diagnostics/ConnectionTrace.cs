using System.Diagnostics;
using System.Net;

namespace SelectReactor.Diagnostics;

/// <summary>The span of a connection: from the moment when its handler gets it to its end. It is a root.</summary>
internal static class ConnectionTrace
{
    /// <summary>Starts the span.</summary>
    /// <returns>Null if nobody listens, or if a sampler does not want it.</returns>
    public static Activity? Start(ConnectionCounts counts, EndPoint? local, EndPoint? remote)
    {
        EndpointTags tags = counts.Tags;
        ActivityKind kind = tags.Role == ConnectionRole.Client ? ActivityKind.Client : ActivityKind.Server;
        Activity? span = Spans.Start("SelectReactor.Connection", kind, parent: null, counts.Instruments);
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag(TagNames.Role, SnakeCase.Of(tags.Role.ToString()));
            span.SetTag(TagNames.Transport, tags.Transport);
            Spans.SetServer(span, tags.Role == ConnectionRole.Client ? remote : local);
            Spans.SetPeer(span, remote);
        }

        return span;
    }

    /// <summary>Ends the span.</summary>
    /// <param name="span">What <see cref="Start"/> has returned.</param>
    /// <param name="counts">Where the connection is counted.</param>
    /// <param name="reason">The place in <see cref="CloseReasons"/>.</param>
    /// <param name="error">The error behind it, if there is one.</param>
    /// <param name="received">Bytes that were received.</param>
    /// <param name="sent">Bytes that were sent.</param>
    /// <param name="unsent">Bytes that were written and did not reach the peer.</param>
    public static void Stop(
        Activity span,
        ConnectionCounts counts,
        int reason,
        Exception? error,
        long received,
        long sent,
        long unsent)
    {
        span.SetTag(TagNames.CloseReason, CloseReasons.All[reason]);
        span.SetTag(TagNames.BytesReceived, received);
        span.SetTag(TagNames.BytesSent, sent);
        span.SetTag(TagNames.UnsentBytes, unsent);
        Spans.Stop(span, error, counts.Instruments);
    }
}
