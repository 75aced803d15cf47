using System.IO.Pipelines;
using SelectReactor;

namespace EchoServer;

/// <summary>Sends back what it receives, and counts. One object serves all connections, since it keeps nothing that
/// belongs to one of them.</summary>
internal sealed class EchoHandler : ConnectionHandler
{
    public int Connections { get; private set; }

    public long Bytes { get; private set; }

    public override void OnConnected(Connection connection) => Connections++;

    public override void OnReadable(Connection connection)
    {
        if (connection.Input.TryRead(out ReadResult result))
        {
            connection.Append(result.Buffer);
            Bytes += result.Buffer.Length;
            connection.Input.AdvanceTo(result.Buffer.End);
        }
    }
}
