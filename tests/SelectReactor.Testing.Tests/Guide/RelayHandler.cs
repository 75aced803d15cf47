using System.IO.Pipelines;

namespace SelectReactor.Testing.Tests.Guide;

internal sealed class RelayHandler : ConnectionHandler
{
    private readonly List<Connection> _members = [];

    public override void OnConnected(Connection connection) => _members.Add(connection);

    public override void OnReadable(Connection connection)
    {
        if (connection.Input.TryRead(out ReadResult result))
        {
            foreach (Connection member in _members.Where(member => member != connection))
            {
                member.TryWrite(result.Buffer);
            }

            connection.Input.AdvanceTo(result.Buffer.End);
        }
    }

    public override void OnClosed(Connection connection, CloseReason reason) => _members.Remove(connection);
}
