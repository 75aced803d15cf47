using System.Net.Sockets;

namespace SelectReactor.Tests.Selection;

/// <summary>Both ends of a connection of a <see cref="SelectorWorld"/>, and what was seen of it.</summary>
internal sealed class WorldConnection(SocketHandle near, Socket far)
{
    public SocketHandle Near => near;

    public Socket Far => far;

    public SelectionKey? Key { get; set; }

    public Interest Seen { get; set; }

    /// <summary>The tick of the last call.</summary>
    public int CalledIn { get; set; }

    public int RegisteredIn { get; set; } = -1;

    public Interest Poll(Interest interest) => SoundSelector.Poll(near, interest);
}
