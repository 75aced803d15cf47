namespace SelectReactor.Testing.Network;

/// <summary>What chance decides on the network.</summary>
internal sealed class Dice(int seed)
{
    private readonly Random _random = new(seed);

    public bool Hits(double chance) => chance > 0 && _random.NextDouble() < chance;

    public int Below(int bound) => _random.Next(bound);

    /// <summary>Both ends included.</summary>
    public int Between(int least, int most) => least == most ? least : _random.Next(least, most + 1);

    public TimeSpan Between(TimeSpan least, TimeSpan most) =>
        least == most ? least : TimeSpan.FromTicks(_random.NextInt64(least.Ticks, most.Ticks + 1));

    public void Shuffle<T>(List<T> list) => _random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(list));
}
