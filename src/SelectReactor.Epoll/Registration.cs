namespace SelectReactor.Epoll;

/// <summary>What an <see cref="EpollSelector"/> stores with an entry.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Descriptor">The descriptor that the handle had when it was added.</param>
/// <param name="Slot">The index in the selector's table.</param>
/// <param name="Generation">Which of the registrations that used this slot it is.</param>
internal sealed record Registration(SelectorEntry Entry, int Descriptor, int Slot, uint Generation)
{
    /// <summary>How often in a row the kernel has reported an error, and nothing else.</summary>
    public int ErrorsInARow { get; set; }

    /// <summary>What the kernel returns with each event of this registration.</summary>
    public ulong Data => ((ulong)Generation << 32) | (uint)Slot;

    public static Registration Of(SelectorEntry entry) => (Registration)entry.State!;
}
