using System.Diagnostics;
using System.Net;

namespace SelectReactor.Diagnostics;

/// <summary>The span of an attempt to connect, with the resolution of the name and what follows on the connection
/// before it is open, such as TLS. It is a part of the caller's activity.</summary>
internal static class ConnectTrace
{
    /// <summary>Starts the span. Call it on the caller's thread.</summary>
    /// <returns>Null if nobody listens, or if a sampler does not want it.</returns>
    public static Activity? Start(EndpointTags tags, EndPoint remote, Instruments instruments)
    {
        Activity? span = Spans.Start("SelectReactor.Connect", ActivityKind.Client, Activity.Current, instruments);
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag(TagNames.Transport, tags.Transport);
            Spans.SetServer(span, remote);
        }

        return span;
    }

    /// <summary>Ends the span.</summary>
    /// <param name="span">What <see cref="Start"/> has returned.</param>
    /// <param name="peer">The address that answered; null if none did.</param>
    /// <param name="error">Why there is no connection for the caller; otherwise null.</param>
    /// <param name="instruments">Where a listener's mistake is reported.</param>
    public static void Stop(Activity span, EndPoint? peer, Exception? error, Instruments instruments)
    {
        Spans.SetPeer(span, peer);
        Spans.Stop(span, error, instruments);
    }
}
