namespace ApplicationNamespace;

/// <summary>A service that all connections share. With more than one reactor it is used on several threads.</summary>
public sealed class MessageCounter
{
    private long _count;

    public long Count => Interlocked.Read(ref _count);

    public void Add() => Interlocked.Increment(ref _count);
}
