using System.Net;

namespace SelectReactor.Groups;

/// <summary>A filter that is asked by one reactor at a time.</summary>
internal sealed class SynchronizedFilter(IAcceptFilter filter) : IAcceptFilter
{
    private readonly Lock _gate = new();

    public bool Allows(EndPoint? remoteEndPoint)
    {
        lock (_gate)
        {
            return filter.Allows(remoteEndPoint);
        }
    }
}
