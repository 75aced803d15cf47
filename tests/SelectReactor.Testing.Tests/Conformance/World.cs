using System.Globalization;

namespace SelectReactor.Testing.Tests.Conformance;

/// <summary>Where a case runs: a network with handles on it, and a selector that watches them.</summary>
internal abstract class World : IDisposable
{
    private const int Draws = 24;
    private const string Kernel = "Kernel", Epoll = "Epoll", Ideal = "Ideal", Local = "Local", Draw = "Draw ";

    /// <summary>The names of all worlds. Linux sets the standard.</summary>
    public static IEnumerable<string> All =>
    [
        .. OperatingSystem.IsLinux() ? [Kernel, Epoll] : Array.Empty<string>(),
        Ideal,
        Local,
        .. Enumerable.Range(1, Draws).Select(static seed => $"{Draw}{seed}"),
    ];

    public abstract IHandleFactory Handles { get; }

    public abstract ISelector Selector { get; }

    /// <summary>The time in this world.</summary>
    public abstract TimeSpan Now { get; }

    /// <summary>Within which all that is to happen happens.</summary>
    public abstract TimeSpan Bound { get; }

    /// <summary>After so long with nothing new, nothing is on its way any more.</summary>
    public abstract TimeSpan Quiet { get; }

    /// <summary>Whether a wait reports only what is ready to read or to write. Of a connect it always does.</summary>
    public abstract bool IsHonest { get; }

    /// <summary>Whether a wait finds out that a watched handle was closed. The kernel's epoll forgets it without
    /// notice.</summary>
    public virtual bool Evicts => true;

    public static World Open(string name) => name switch
    {
        Kernel => new KernelWorld(new ReactorOptions()),
        Epoll => new KernelWorld(new ReactorOptions().UseEpoll()),
        Ideal => Simulated(seed: 1, SimulatedNetworkOptions.Ideal),
        Local => Simulated(seed: 1, new SimulatedNetworkOptions()),
        _ => Simulated(int.Parse(name.AsSpan(Draw.Length), CultureInfo.InvariantCulture)),
    };

    public abstract void Dispose();

    private static SimulatedWorld Simulated(int seed) => Simulated(seed, SimulatedNetworkOptions.Draw(seed));

    // As on Linux, from which the drawn conditions may differ.
    private static SimulatedWorld Simulated(int seed, SimulatedNetworkOptions options) => new(
        seed,
        options with
        {
            MinWritableShare = new SimulatedNetworkOptions().MinWritableShare,
            ResetDiscardsInput = false,
            LostSendErrorChance = 0,
            ResetLooksLikeEnd = false,
            DatagramLossChance = 0,
            DatagramDuplicationChance = 0,
        });
}
