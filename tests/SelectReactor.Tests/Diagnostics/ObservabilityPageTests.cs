using System.Diagnostics.Metrics;
using System.Text.RegularExpressions;
using SelectReactor.Tests.Repository;

namespace SelectReactor.Tests.Diagnostics;

/// <summary>The page on observability names what there is.</summary>
public sealed partial class ObservabilityPageTests : MeterFixture
{
    [Test]
    public void TableOfInstruments_IsThatOfTheMeter()
    {
        string[] rows =
        [
            .. Row().Matches(Sources.Read("docs/observability.md")).Select(static row =>
                $"{row.Groups[1]}: {row.Groups[2]}, {row.Groups[3]}"),
        ];

        Assert.That(rows, Is.EquivalentTo(Meter.Instruments.Select(Describe)));
    }

    private static string Describe(Instrument instrument)
    {
        string kind = instrument.GetType().Name.Split('`')[0] switch
        {
            "Counter" or "ObservableCounter" => "counter",
            "UpDownCounter" or "ObservableUpDownCounter" => "up-down counter",
            "ObservableGauge" => "gauge",
            "Histogram" => "histogram",
            var other => other,
        };
        return $"{instrument.Name}: {kind}, {instrument.Unit}";
    }

    [GeneratedRegex(@"^\| `(selectreactor\.[a-z_.]+)` \| ([a-z -]+), `?([^`|]+?)`? \|", RegexOptions.Multiline)]
    private static partial Regex Row();
}
