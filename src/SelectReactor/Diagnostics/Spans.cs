using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Diagnostics;

/// <summary>Starts and stops the spans of the library. None becomes the current activity, since the loop serves many
/// connections on one thread, and a listener that throws harms neither the loop nor a connection.</summary>
internal static class Spans
{
    private static readonly ActivitySource _source = new(Instruments.MeterName);

    /// <summary>Starts a span.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="kind">Its kind.</param>
    /// <param name="parent">The activity that it is a part of. Null for a root.</param>
    /// <param name="instruments">Where a listener's mistake is reported.</param>
    /// <returns>Null if nobody listens, or if a sampler does not want it.</returns>
    public static Activity? Start(string name, ActivityKind kind, Activity? parent, Instruments instruments)
    {
        if (!_source.HasListeners())
        {
            return null;
        }

        Activity? outer = Activity.Current;
        Activity.Current = parent;
        try
        {
            return _source.StartActivity(name, kind);
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

    /// <summary>Ends a span.</summary>
    /// <param name="span">The span.</param>
    /// <param name="error">The error, if there is one.</param>
    /// <param name="instruments">Where a mistake of a listener, or of a user's exception, is reported.</param>
    public static void Stop(Activity span, Exception? error, Instruments instruments)
    {
        Activity? outer = Activity.Current;
        try
        {
            SetError(span, error);
        }
        catch (Exception exception)
        {
            // The exception is a user's, and its message may throw.
            instruments.Report(exception);
        }

        try
        {
            span.Stop();
        }
        catch (Exception exception)
        {
            instruments.Report(exception);
        }

        Activity.Current = outer;
    }

    /// <summary>Sets the tags with the server's address.</summary>
    public static void SetServer(Activity span, EndPoint? endPoint) =>
        SetAddress(span, endPoint, TagNames.Address, TagNames.Port);

    /// <summary>Sets the tags with the peer's address.</summary>
    public static void SetPeer(Activity span, EndPoint? endPoint) =>
        SetAddress(span, endPoint, TagNames.PeerAddress, TagNames.PeerPort);

    private static void SetError(Activity span, Exception? error)
    {
        if (error is not null)
        {
            span.SetTag(TagNames.ErrorType, ErrorTypes.Of(error));
            span.SetStatus(ActivityStatusCode.Error, error.Message);
        }
    }

    private static void SetAddress(Activity span, EndPoint? endPoint, string address, string port)
    {
        switch (endPoint)
        {
            case IPEndPoint ip:
                span.SetTag(address, ip.Address.ToString());
                span.SetTag(port, ip.Port);
                break;
            case DnsEndPoint host:
                span.SetTag(address, host.Host);
                span.SetTag(port, host.Port);
                break;
            case UnixDomainSocketEndPoint unix when unix.ToString().Length > 0:
                span.SetTag(address, unix.ToString());
                break;
        }
    }
}
