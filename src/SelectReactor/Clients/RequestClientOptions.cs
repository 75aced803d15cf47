using SelectReactor.Dispatch;

namespace SelectReactor;

/// <summary>
/// The options of a <see cref="RequestClient{TRequest, TResponse}"/>, which copies them. A setter throws an
/// <see cref="ArgumentException"/> that names the option if a value is not allowed.
/// </summary>
public sealed class RequestClientOptions
{
    /// <summary>How long a request may take, from the call to the response. When one that was sent takes longer, the
    /// connection is cut, since its response would be taken for that of the next request. Above zero. Default: 10
    /// seconds.</summary>
    public TimeSpan RequestTimeout
    {
        get;
        set => field = OptionValue.AboveZeroOrInfinite(this, value);
    } = TimeSpan.FromSeconds(10);

    /// <summary>How many requests may be sent before their responses arrive. 1 for a protocol without pipelining.
    /// Further ones wait. At least 1. Default: 128.</summary>
    public int MaxInFlight
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 1);
    } = 128;

    /// <summary>How many requests may wait to be sent; the next one fails at once. Zero or more. Default:
    /// 10,000.</summary>
    public int MaxWaiting
    {
        get;
        set => field = OptionValue.AtLeast(this, value, 0);
    } = 10_000;

    /// <summary>What happens to a request while there is no connection. Default:
    /// <see cref="WhenDisconnected.Fail"/>.</summary>
    public WhenDisconnected WhenDisconnected
    {
        get;
        set => field = OptionValue.Defined(this, value);
    }

    internal RequestClientOptions Copy() => (RequestClientOptions)MemberwiseClone();
}
