using System.Globalization;

namespace SelectReactor.Testing.Tests.Conformance;

/// <summary>Where a case runs: a network with handles on it, and a selector that watches them.</summary>
internal abstract class World : IDisposable
{
    private const int Draws = 24;
    private const string Kernel = "Kernel", Ideal = "Ideal", Local = "Local", Draw = "Draw ";

    /// <summary>The names of all worlds. Linux sets the standard.</summary>
    public static IEnumerable<string> All =>
    [
        .. OperatingSystem.IsLinux() ? [Kernel] : Array.Empty<string>(),
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

    public static World Open(string name) => name switch
    {
        Kernel => new KernelWorld(),
        Ideal => new SimulatedWorld(seed: 1, SimulatedNetworkOptions.Ideal),
        Local => new SimulatedWorld(seed: 1, new SimulatedNetworkOptions()),
        _ => Drawn(int.Parse(name.AsSpan(Draw.Length), CultureInfo.InvariantCulture)),
    };

    public abstract void Dispose();

    // Draw also draws how other systems differ from Linux.
    private static SimulatedWorld Drawn(int seed) => new(
        seed,
        SimulatedNetworkOptions.Draw(seed) with
        {
            MinWritableShare = new SimulatedNetworkOptions().MinWritableShare,
            ResetDiscardsInput = false,
            LostSendErrorChance = 0,
        });
}
