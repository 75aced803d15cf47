using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace SelectReactor.Testing.Tests.Support;

/// <summary>A handler whose callbacks a test fills in, and which keeps what happened. Those that are not filled in do
/// what <see cref="IConnectionHandler"/> does by default, and read everything.</summary>
internal sealed class Script : IConnectionHandler
{
    public Action<Connection>? Connected { get; init; }

    public Action<Connection>? Readable { get; init; }

    public Action<Connection>? Writable { get; init; }

    public Action<Connection>? InputEnded { get; init; }

    public Action? Closed { get; init; }

    /// <summary>The names of the callbacks that came, those of reading with what was read.</summary>
    public List<string> Events { get; } = [];

    public static string ReadText(Connection connection)
    {
        if (!connection.Input.TryRead(out ReadResult result))
        {
            return "";
        }

        string text = Encoding.UTF8.GetString(result.Buffer);
        connection.Input.AdvanceTo(result.Buffer.End);
        return text;
    }

    public void OnConnected(Connection connection)
    {
        Events.Add("connected");
        Connected?.Invoke(connection);
    }

    public void OnReadable(Connection connection)
    {
        if (Readable is null)
        {
            Events.Add($"read {ReadText(connection)}");
        }
        else
        {
            Events.Add("readable");
            Readable(connection);
        }
    }

    public void OnWritable(Connection connection)
    {
        Events.Add("writable");
        Writable?.Invoke(connection);
    }

    public void OnInputEnded(Connection connection)
    {
        Events.Add("ended");
        if (InputEnded is null)
        {
            connection.Close();
        }
        else
        {
            InputEnded(connection);
        }
    }

    public void OnClosed(Connection connection, CloseReason reason)
    {
        Events.Add($"closed {reason.Kind}");
        Closed?.Invoke();
    }
}
