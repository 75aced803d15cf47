using System.Buffers;
using System.Text;

namespace SelectReactor.Hosting.Tests;

/// <summary>What handlers are given, by injection.</summary>
public sealed class Greeting(string text)
{
    public string Text => text;
}

/// <summary>A service of one connection.</summary>
public sealed class Session : IAsyncDisposable
{
    private static int _made;

    public int Number { get; } = Interlocked.Increment(ref _made);

    public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public static List<Session> All { get; } = [];

    public Session() => All.Add(this);

    public ValueTask DisposeAsync()
    {
        Disposed.SetResult();
        return ValueTask.CompletedTask;
    }
}

/// <summary>Answers with the greeting, its own number, and what was sent.</summary>
public sealed class GreetingHandler(Greeting greeting) : ConnectionHandler
{
    private static int _made;
    private readonly int _number = Interlocked.Increment(ref _made);

    public static int Made => _made;

    public override void OnReadable(Connection connection)
    {
        if (connection.Input.TryRead(out var result))
        {
            string text = Encoding.ASCII.GetString(result.Buffer.ToArray());
            connection.Input.AdvanceTo(result.Buffer.End);
            connection.Output.Write(Encoding.ASCII.GetBytes($"{greeting.Text} {_number} {text}"));
        }
    }
}

/// <summary>Answers with the number of its session.</summary>
public sealed class SessionHandler(Session session) : ConnectionHandler
{
    public override void OnReadable(Connection connection)
    {
        if (connection.Input.TryRead(out var result))
        {
            connection.Input.AdvanceTo(result.Buffer.End);
            connection.Output.Write(Encoding.ASCII.GetBytes($"{session.Number}"));
        }
    }
}

/// <summary>Says goodbye when the host stops, if it is polite.</summary>
public sealed class StoppingHandler(StoppingHandler.Manners manners) : ConnectionHandler
{
    public override void OnConnected(Connection connection) => connection.Output.Write("hello"u8);

    public override void OnReadable(Connection connection)
    {
    }

    public override void OnStopping(Connection connection)
    {
        if (manners.ArePolite)
        {
            connection.Output.Write("bye"u8);
            connection.Close();
        }
    }

    public sealed record Manners(bool ArePolite);
}
