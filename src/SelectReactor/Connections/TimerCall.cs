namespace SelectReactor.Connections;

/// <summary>What a timer of a connection calls: the user's callback, unless the connection is closing. Then the timer
/// ends, also one that was changed after the close.</summary>
internal sealed class TimerCall(Connection connection, Action callback)
{
    public ReactorTimer? Timer { get; set; }

    public static void Run(object? self) => ((TimerCall)self!).Run();

    private void Run()
    {
        if (connection.State > ConnectionState.Open)
        {
            Timer?.Cancel();
            return;
        }

        try
        {
            callback();
        }
        catch (Exception exception)
        {
            connection.Fault(exception, nameof(Connection.Schedule));
        }
    }
}
