using System.Text;
using SelectReactor.Diagnostics;

namespace SelectReactor.Dispatch;

/// <summary>Writes what a reactor is doing. On the loop's thread it is exact. On another thread, where the loop does
/// not answer, it reads what it can: nothing of that is written, and what can't be read is left out.</summary>
internal sealed class ReactorDump(ClientRegistry clients, LoopProgress progress, int maxEntries)
{
    private readonly StringBuilder _text = new();

    /// <summary>Adds one line. A line break in it, such as one of an exception's message, would forge
    /// another.</summary>
    public void Add(string line) => _text.Append(line.ReplaceLineEndings(" ")).Append('\n');

    /// <summary>What the loop's thread has been doing for too long.</summary>
    public void AddSilence(TimeSpan wait, TimeSpan lag)
    {
        if (!progress.IsRunning)
        {
            Add("No thread runs the loop at the moment: nothing is served until it goes on.");
            return;
        }

        string callback = progress.Code is { } code
            ? $"It is in {CallbackName.Of(code, progress.State)}"
            : "It is not in a callback";
        string since = lag > TimeSpan.Zero ? $", and has not waited for events for {DumpText.Age(lag)}" : "";
        Add($"THE LOOP HAS NOT ANSWERED WITHIN {DumpText.Age(wait)}. {callback}{since}.");
        Add("What follows was read while it may go on, and may not fit together.");
    }

    public void AddStarters()
    {
        IStoppable[] starters = DumpText.Try(clients.Starters, []);
        Add($"Listeners, clients and whatever else may start a connection: {starters.Length}");
        foreach (IGrouping<Type, IStoppable> kind in starters
            .Where(static starter => starter is not null)
            .GroupBy(static starter => starter.GetType()))
        {
            foreach (IStoppable starter in kind.Take(maxEntries))
            {
                Add($"  {DumpText.Try(starter.ToString, null) ?? "one that changes"}");
            }

            AddOmitted(kind.Count());
        }
    }

    /// <summary>The connections: those with the most output that waits first, then those that do not read, then those
    /// that have been silent for longest.</summary>
    public void AddConnections()
    {
        (IReactorClient Client, ConnectionFacts Facts)[] all =
        [
            .. DumpText.Try(() => clients.All.ToArray(), [])
                .Where(static client => client is not null)
                .Select(static client => (client, DumpText.Try(client.GetFacts, default))),
        ];
        string states = string.Join(", ", all
            .CountBy(static pair => pair.Facts.State ?? "unknown")
            .OrderByDescending(static pair => pair.Value)
            .Select(static pair => $"{pair.Value} {pair.Key}"));
        Add($"Connections: {all.Length}{(states.Length > 0 ? $" ({states})" : "")}");
        foreach ((IReactorClient client, _) in all
            .OrderByDescending(static pair => pair.Facts.QueuedBytes)
            .ThenByDescending(static pair => pair.Facts.IsReadPaused)
            .ThenBy(static pair => pair.Facts.LastActivity)
            .Take(maxEntries))
        {
            Add($"  {DumpText.Try(client.Describe, "one that changes")}");
        }

        AddOmitted(all.Length);
    }

    public override string ToString() => _text.ToString();

    private void AddOmitted(int count)
    {
        if (count > maxEntries)
        {
            Add($"  … and {count - maxEntries} more");
        }
    }
}
