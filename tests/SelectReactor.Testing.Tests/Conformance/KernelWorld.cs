using System.Diagnostics;
using SelectReactor.Selection;

namespace SelectReactor.Testing.Tests.Conformance;

/// <summary>The system's loopback network, in real time.</summary>
internal sealed class KernelWorld : World
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();

    public override IHandleFactory Handles => SocketHandleFactory.Instance;

    public override ISelector Selector { get; } = new SelectSelector();

    public override TimeSpan Now => _watch.Elapsed;

    public override TimeSpan Bound { get; } = TimeSpan.FromSeconds(20);

    public override TimeSpan Quiet { get; } = TimeSpan.FromMilliseconds(50);

    public override bool IsHonest => true;

    public override void Dispose() => Selector.Dispose();
}
