using System.Text.RegularExpressions;

namespace SelectReactor.Tests.Repository;

public sealed partial class DocsTests
{
    [Test]
    public void EveryTestThatThePageOnReliabilityNames_Exists()
    {
        string page = Sources.Read("docs/reliability.md");
        string[] named = [.. TestName().Matches(page).Select(static match => match.Value).Distinct()];
        Assert.That(named, Has.Length.GreaterThan(50));

        string[] missing = [.. named.Where(static name => !Exists(name.Trim('`').Split('.')))];
        Assert.That(missing, Is.Empty);
    }

    [Test]
    public void EveryScenario_IsOnThePageOnReliability()
    {
        string page = Sources.Read("docs/reliability.md");
        string[] scenarios =
        [
            .. Sources.Below("tests/SelectReactor.Soak/Faults").SelectMany(
                static file => ScenarioMethod().Matches(Sources.Read(file)).Select(
                    match => $"`{Path.GetFileNameWithoutExtension(file)}.{match.Groups[1].Value}`")),
        ];
        Assert.That(scenarios, Has.Length.GreaterThan(40));

        Assert.That(scenarios.Where(scenario => !page.Contains(scenario)), Is.Empty);
    }

    [TestCase(typeof(ReactorOptions))]
    [TestCase(typeof(ListenerOptions))]
    [TestCase(typeof(ConnectOptions))]
    [TestCase(typeof(ConnectionOptions))]
    [TestCase(typeof(DatagramOptions))]
    [TestCase(typeof(ProxyProtocolOptions))]
    [TestCase(typeof(ConnectionGroupOptions))]
    [TestCase(typeof(ReconnectOptions))]
    [TestCase(typeof(ConnectionPoolOptions))]
    [TestCase(typeof(RequestClientOptions))]
    [TestCase(typeof(TlsServerOptions))]
    [TestCase(typeof(TlsClientOptions))]
    [TestCase(typeof(SelectReactorTransportOptions))]
    public void EveryOption_IsOnThePageOfOptions(Type options)
    {
        string page = Sources.Read("docs/options.md");
        string section = page.Split("## ").Single(
            part => part.StartsWith($"{options.Name}\n", StringComparison.Ordinal));

        Assert.That(
            options.GetProperties()
                .Select(static property => property.Name)
                .Where(name => !section.Contains($"`{name}`")),
            Is.Empty);
    }

    [Test]
    public void TheChart_ShowsFiguresOfTheFullRun()
    {
        string report = Sources.Read("benchmarks/results/full.md");
        string[] figures =
        [
            .. ChartFigure().Matches(Sources.Read("docs/images/benchmark.svg"))
                .Select(static match => match.Groups[1].Value),
        ];
        Assert.That(figures, Has.Length.EqualTo(14));

        Assert.That(
            figures.Where(figure => !report.Contains($"| {figure} |") && !report.Contains($"| {figure} (")), Is.Empty);
    }

    private static bool Exists(string[] name) =>
        Sources.All
            .Where(file => Path.GetFileNameWithoutExtension(file) == name[0])
            .Any(file => Regex.IsMatch(Sources.Read(file), $@"\b(void|Task) {name[1]}\("));

    [GeneratedRegex(@"`\w+(Tests|Faults|Cases)\.\w+`")]
    private static partial Regex TestName();

    [GeneratedRegex(@"<text class=""value""[^>]*>([^<]*)<")]
    private static partial Regex ChartFigure();

    [GeneratedRegex(@"public static void (\w+)\(SimulatedNetwork ")]
    private static partial Regex ScenarioMethod();
}
