namespace SelectReactor;

/// <summary>How a <see cref="Listener"/> accepts connections.</summary>
public sealed class ListenerOptions
{
    /// <summary>How many connections may wait to be accepted (listen(2)); the system caps it. Default: 512.</summary>
    public int Backlog
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 512;

    /// <summary>The most connections that one tick accepts before the open ones have their turn. Default: 16.</summary>
    public int MaxAcceptsPerTick
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            field = value;
        }
    } = 16;

    /// <summary>For the accepted connections.</summary>
    public ConnectionOptions Connection
    {
        get;
        init => field = value ?? throw new ArgumentNullException(nameof(value));
    } = ConnectionOptions.Default;

    internal static ListenerOptions Default { get; } = new();
}
