using System.Runtime.InteropServices;

namespace SelectReactor.Testing.Network;

/// <summary>The random numbers of the network itself.</summary>
internal sealed class SeededRandom(int seed)
{
    private readonly Random _random = new(seed);

    public bool Hits(double chance) => chance > 0 && _random.NextDouble() < chance;

    public int Below(int bound) => _random.Next(bound);

    /// <summary>Draws a number; both ends are included.</summary>
    public int Between(int min, int max) => min == max ? min : _random.Next(min, max + 1);

    /// <summary>Draws a time; both ends are included.</summary>
    public TimeSpan Between(TimeSpan min, TimeSpan max) =>
        min == max ? min : TimeSpan.FromTicks(_random.NextInt64(min.Ticks, max.Ticks + 1));

    public void Shuffle<T>(List<T> list) => _random.Shuffle(CollectionsMarshal.AsSpan(list));
}
