using System.Diagnostics;

namespace SelectReactor.Testing.Tests.Conformance;

/// <summary>The system's loopback network, in real time, with the handles and the selector of these options.</summary>
internal sealed class KernelWorld(ReactorOptions options) : World
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();

    public override IHandleFactory Handles => options.HandleFactory;

    public override ISelector Selector { get; } = options.SelectorFactory();

    public override TimeSpan Now => _watch.Elapsed;

    public override TimeSpan Bound { get; } = TimeSpan.FromSeconds(20);

    public override TimeSpan Quiet { get; } = TimeSpan.FromMilliseconds(50);

    public override bool IsHonest => true;

    public override bool Evicts => Selector is not EpollSelector;

    public override void Dispose() => Selector.Dispose();
}
