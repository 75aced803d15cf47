using System.Net;

namespace SelectReactor;

/// <summary>How an outgoing connection is made.</summary>
public sealed class ConnectOptions
{
    /// <summary>How long an attempt may take; <see cref="Timeout.InfiniteTimeSpan"/> leaves it to the system, which gives up
    /// after a minute or two. Default: 15 seconds.</summary>
    public TimeSpan Timeout
    {
        get;
        init
        {
            if (value != System.Threading.Timeout.InfiniteTimeSpan)
            {
                ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            }

            field = value;
        }
    } = TimeSpan.FromSeconds(15);

    /// <summary>The local address to bind before connecting; port 0 lets the system choose one. Default (null): the system
    /// chooses both.</summary>
    public EndPoint? LocalEndPoint { get; init; }

    /// <summary>For the connection.</summary>
    public ConnectionOptions Connection
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = ConnectionOptions.Default;

    internal static ConnectOptions Default { get; } = new();
}
