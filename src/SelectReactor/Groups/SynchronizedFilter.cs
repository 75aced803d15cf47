using System.Net;
using System.Runtime.CompilerServices;

namespace SelectReactor.Groups;

/// <summary>A filter that is asked by one reactor at a time, for whichever listeners of whichever groups.</summary>
internal sealed class SynchronizedFilter(IAcceptFilter filter) : IAcceptFilter
{
    private static readonly ConditionalWeakTable<IAcceptFilter, Lock> _gates = [];
    private readonly Lock _gate = _gates.GetOrCreateValue(filter);

    public bool Allows(EndPoint? remoteEndPoint)
    {
        lock (_gate)
        {
            return filter.Allows(remoteEndPoint);
        }
    }
}
