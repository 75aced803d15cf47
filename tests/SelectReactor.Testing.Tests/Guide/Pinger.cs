using System.IO.Pipelines;

namespace SelectReactor.Testing.Tests.Guide;

internal sealed class Pinger(int count) : IConnectionHandler
{
    public int Pongs { get; private set; }

    public CloseReason? Reason { get; private set; }

    public void OnConnected(Connection connection) => connection.TryWrite("PING\r\n"u8);

    public void OnReadable(Connection connection)
    {
        if (!connection.Input.TryRead(out ReadResult result))
        {
            return;
        }

        if (result.Buffer.Length < "+PONG\r\n".Length)
        {
            connection.Input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
            return;
        }

        connection.Input.AdvanceTo(result.Buffer.End);
        if (++Pongs == count)
        {
            connection.Close();
        }
        else
        {
            connection.TryWrite("PING\r\n"u8);
        }
    }

    public void OnClosed(Connection connection, CloseReason reason) => Reason = reason;
}
