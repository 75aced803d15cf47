namespace SelectReactor.Tests.Dispatch;

/// <summary>A mocked selector that finds ready what the test says and keeps the waits that it was asked for.</summary>
internal sealed class ScriptedSelector
{
    private readonly Queue<Action<List<SelectorEntry>>> _turns = new();

    public ScriptedSelector()
    {
        Mock = new Mock<ISelector>();
        Mock.Setup(static selector => selector.Select(It.IsAny<TimeSpan>(), It.IsAny<List<SelectorEntry>>()))
            .Callback((TimeSpan wait, List<SelectorEntry> ready) =>
            {
                Waits.Add(wait);
                if (_turns.TryDequeue(out Action<List<SelectorEntry>>? turn))
                {
                    turn(ready);
                }
            });
    }

    public Mock<ISelector> Mock { get; }

    public List<TimeSpan> Waits { get; } = [];

    public TimeSpan LastWait => Waits[^1];

    /// <summary>What the next wait finds ready, for all that the keys ask for.</summary>
    public void NextFinds(params SelectionKey[] keys) => Next(ready =>
    {
        foreach (SelectionKey key in keys)
        {
            key.Entry.Ready = key.Interest;
            ready.Add(key.Entry);
        }
    });

    /// <summary>What happens in the next wait for which nothing else is planned.</summary>
    public void Next(Action<List<SelectorEntry>> turn) => _turns.Enqueue(turn);
}
