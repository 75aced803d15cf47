using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Diagnostics;

/// <summary>The span of a connection: from the moment when its handler gets it to its end. It is a root and current
/// nowhere, since the loop serves many connections on one thread.</summary>
internal static class ConnectionTrace
{
    private static readonly ActivitySource _source = new(Instruments.MeterName);

    /// <summary>Starts the span.</summary>
    /// <returns>Null if nobody listens, or if a sampler does not want it.</returns>
    public static Activity? Start(ConnectionCounts counts, EndPoint? local, EndPoint? remote)
    {
        EndpointTags tags = counts.Tags;
        if (!_source.HasListeners())
        {
            return null;
        }

        ActivityKind kind = tags.Role == ConnectionRole.Client ? ActivityKind.Client : ActivityKind.Server;
        Activity? activity = StartRoot(kind, counts.Instruments);
        if (activity is { IsAllDataRequested: true })
        {
            EndPoint? server = tags.Role == ConnectionRole.Client ? remote : local;
            activity.SetTag(TagNames.Role, SnakeCase.Of(tags.Role.ToString()));
            activity.SetTag(TagNames.Transport, tags.Transport);
            SetAddress(activity, server, TagNames.Address, TagNames.Port);
            SetAddress(activity, remote, TagNames.PeerAddress, TagNames.PeerPort);
        }

        return activity;
    }

    /// <summary>Ends the span.</summary>
    /// <param name="activity">What <see cref="Start"/> has returned.</param>
    /// <param name="counts">Where the connection is counted.</param>
    /// <param name="reason">The place in <see cref="CloseReasons"/>.</param>
    /// <param name="error">The error behind it, if there is one.</param>
    /// <param name="received">Bytes that were received.</param>
    /// <param name="sent">Bytes that were sent.</param>
    /// <param name="unsent">Bytes that were written and did not reach the peer.</param>
    public static void Stop(
        Activity activity,
        ConnectionCounts counts,
        int reason,
        Exception? error,
        long received,
        long sent,
        long unsent)
    {
        Activity? outer = Activity.Current;
        try
        {
            activity.SetTag(TagNames.CloseReason, CloseReasons.All[reason]);
            activity.SetTag(TagNames.BytesReceived, received);
            activity.SetTag(TagNames.BytesSent, sent);
            activity.SetTag(TagNames.UnsentBytes, unsent);
            if (error is not null)
            {
                activity.SetTag(TagNames.ErrorType, ErrorTypes.Of(error));
                activity.SetStatus(ActivityStatusCode.Error, error.Message);
            }
        }
        catch (Exception exception)
        {
            // The exception is a user's, and its message may throw.
            counts.Instruments.Report(exception);
        }

        try
        {
            activity.Stop();
        }
        catch (Exception exception)
        {
            counts.Instruments.Report(exception);
        }

        Activity.Current = outer;
    }

    private static Activity? StartRoot(ActivityKind kind, Instruments instruments)
    {
        Activity? outer = Activity.Current;
        Activity.Current = null;
        try
        {
            return _source.StartActivity("SelectReactor.Connection", kind);
        }
        catch (Exception exception)
        {
            instruments.Report(exception);
            return null;
        }
        finally
        {
            Activity.Current = outer;
        }
    }

    private static void SetAddress(Activity activity, EndPoint? endPoint, string address, string port)
    {
        switch (endPoint)
        {
            case IPEndPoint ip:
                activity.SetTag(address, ip.Address.ToString());
                activity.SetTag(port, ip.Port);
                break;
            case UnixDomainSocketEndPoint unix when unix.ToString().Length > 0:
                activity.SetTag(address, unix.ToString());
                break;
        }
    }
}
