using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Testing.Tests.Support;

/// <summary>Sends some bytes, takes all that comes back, and closes when it has as many.</summary>
internal sealed class Sender(byte[] bytes) : IConnectionHandler
{
    public List<byte> Received { get; } = [];

    public CloseReason? Reason { get; private set; }

    public bool IsClosed => Reason is not null;

    public void OnConnected(Connection connection) => connection.Output.Write(bytes);

    public void OnReadable(Connection connection)
    {
        if (connection.Input.TryRead(out ReadResult result))
        {
            Received.AddRange(result.Buffer.ToArray());
            connection.Input.AdvanceTo(result.Buffer.End);
            if (Received.Count == bytes.Length)
            {
                connection.Close();
            }
        }
    }

    public void OnClosed(Connection connection, CloseReason reason) => Reason = reason;
}
