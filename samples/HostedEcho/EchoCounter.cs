namespace HostedEcho;

/// <summary>A service that all connections share: it is used on the threads of all reactors.</summary>
public sealed class EchoCounter
{
    private long _bytes;

    public long Bytes => Interlocked.Read(ref _bytes);

    public void Add(long bytes) => Interlocked.Add(ref _bytes, bytes);
}
