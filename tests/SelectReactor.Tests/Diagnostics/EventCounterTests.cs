using System.Collections.Concurrent;
using System.Diagnostics.Tracing;

namespace SelectReactor.Tests.Diagnostics;

/// <summary>The counters for tools that read no meters.</summary>
public sealed class EventCounterTests
{
    [Test]
    public void Counters_AreThereOnceTheSourceIsEnabled()
    {
        using var reactor = new Reactor();
        using var listener = new CounterListener();
        string[] expected =
        [
            "active-connections",
            "opened-connections",
            "bytes-received",
            "bytes-sent",
            "loop-lag",
            "mailbox-depth",
        ];

        Assert.That(
            SpinWait.SpinUntil(() => expected.All(listener.Values.ContainsKey), TimeSpan.FromSeconds(30)),
            () => $"only {string.Join(", ", listener.Values.Keys)}");
        Assert.That(listener.Values["active-connections"], Is.GreaterThanOrEqualTo(0));
    }

    private sealed class CounterListener : EventListener
    {
        public ConcurrentDictionary<string, double> Values { get; } = new();

        protected override void OnEventSourceCreated(EventSource eventSource)
        {
            if (eventSource.Name == "SelectReactor")
            {
                var arguments = new Dictionary<string, string?> { ["EventCounterIntervalSec"] = "0.05" };
                EnableEvents(eventSource, EventLevel.Informational, EventKeywords.All, arguments);
            }
        }

        protected override void OnEventWritten(EventWrittenEventArgs eventData)
        {
            foreach (IDictionary<string, object> counter in
                eventData.Payload?.OfType<IDictionary<string, object>>() ?? [])
            {
                object value = counter.TryGetValue("Mean", out object? mean) ? mean : counter["Increment"];
                Values[(string)counter["Name"]] = (double)value;
            }
        }
    }
}
