using System.Globalization;
using System.Text;
using SelectReactor.LoadTest.Servers;

namespace SelectReactor.LoadTest.Report;

/// <summary>The README's chart: throughput and idle memory of all servers in one small SVG. It has a background of its
/// own, so that it is readable on a light and on a dark page.</summary>
internal static class Chart
{
    private const string Throughput = "echo-50-d1";
    private const string Memory = "idle-memory";
    private const int Width = 800;
    private const int Left = 226;
    private const int BarWidth = 200;
    private const int PanelWidth = 300;
    private const int Top = 62;
    private const int Row = 26;
    private const int BarHeight = 16;

    /// <summary>A larger value gets a bar that is cut off.</summary>
    private const double MaxBytes = 5000;

    private const string Style = """
        <style>
          text { font: 13px "Segoe UI", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; fill: #24292f }
          .title { font-weight: 600 }
          .note { font-size: 11.5px; fill: #57606a }
          .page { fill: #ffffff; stroke: #d0d7de }
          .ours { fill: #2a6fb0 }
          .other { fill: #b8c4d0 }
          .cut { fill: none; stroke: #ffffff; stroke-width: 3 }
          .range { stroke: #24292f }
          @media (prefers-color-scheme: dark) {
            text { fill: #e6edf3 }
            .note { fill: #9198a1 }
            .page { fill: #151b23; stroke: #3d444d }
            .ours { fill: #4493f8 }
            .other { fill: #656c76 }
            .cut { stroke: #151b23 }
            .range { stroke: #e6edf3 }
          }
        </style>
        """;

    /// <summary>Draws the run.</summary>
    /// <exception cref="LoadTestException">The run has no figures of one of the scenarios.</exception>
    public static string Draw(Results results)
    {
        IReadOnlyList<ScenarioSummary> scenarios = ScenarioSummary.Summarize(results);
        ScenarioSummary throughput = Find(scenarios, Throughput);
        ScenarioSummary memory = Find(scenarios, Memory);
        ServerSummary reference = throughput.Find(CReference.Name)
            ?? throw new LoadTestException($"the run has no server {CReference.Name} in {Throughput}");

        int height = Top + (Row * throughput.Servers.Count) + 14;
        var svg = new StringBuilder();
        Append(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" role=\"img\">");
        Append(svg, $"<title>Throughput and idle memory of {throughput.Servers.Count} servers on one core</title>");
        Append(svg, $"{Style}");
        Append(svg, $"<rect class=\"page\" width=\"{Width}\" height=\"{height}\" rx=\"6\"/>");
        AppendTitle(svg, Left, "Messages per second, C loop = 1", "50 connections; more is better");
        AppendTitle(svg, Left + PanelWidth, "Bytes per idle connection", "10,000 connections; less is better");
        int y = Top;
        foreach (ServerSummary server in throughput.Servers)
        {
            string color = server.Server is "select" or "epoll" ? "ours" : "other";
            Append(svg, $"<text x=\"{Left - 10}\" y=\"{y + 13}\" text-anchor=\"end\">{Label(server)}</text>");
            if (server.RatioTo(reference) is { } ratio)
            {
                AppendRatio(svg, y, ratio, color);
            }

            if (memory.Find(server.Server)?.Value is { } bytes)
            {
                AppendBytes(svg, y, bytes.Median, color);
            }

            y += Row;
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static ScenarioSummary Find(IReadOnlyList<ScenarioSummary> scenarios, string name) =>
        scenarios.FirstOrDefault(scenario => scenario.Scenario.Name == name)
        ?? throw new LoadTestException($"the run has no scenario {name}");

    private static string Label(ServerSummary server) => server.Server switch
    {
        CReference.Name => "C loop on epoll",
        "select" => "SelectReactor",
        "epoll" => "SelectReactor.Epoll",
        "kestrel" => "Kestrel connection handler",
        "async" => "async sockets, 64 KiB each",
        "dotnetty" => "DotNetty",
        "naive" => "plain Socket.Select loop",
        _ => server.Server,
    };

    private static void AppendTitle(StringBuilder svg, int x, string title, string note)
    {
        Append(svg, $"<text class=\"title\" x=\"{x}\" y=\"26\">{title}</text>");
        Append(svg, $"<text class=\"note\" x=\"{x}\" y=\"44\">{note}</text>");
    }

    private static void AppendRatio(StringBuilder svg, int y, Spread ratio, string color)
    {
        // Room for the ranges, which pass 1.
        double unit = BarWidth / 1.35;
        double end = Left + (unit * ratio.Greatest);
        AppendBar(svg, Left, y, unit * ratio.Median, color);
        if (ratio.Greatest > ratio.Least)
        {
            double middle = y + (BarHeight / 2.0);
            Append(svg, $"<path class=\"range\" d=\"M{Left + (unit * ratio.Least):F1} {middle}H{end:F1}\"/>");
        }

        AppendValue(svg, end + 6, y, ratio.Median, "F2");
    }

    private static void AppendBytes(StringBuilder svg, int y, double bytes, string color)
    {
        int left = Left + PanelWidth;
        double width = BarWidth * Math.Min(1, bytes / MaxBytes);
        AppendBar(svg, left, y, width, color);
        if (bytes > MaxBytes)
        {
            Append(svg, $"<path class=\"cut\" d=\"M{left + width - 24:F1} {y + BarHeight + 2}l8 -{BarHeight + 4}\"/>");
        }

        AppendValue(svg, left + width + 6, y, bytes, "N0");
    }

    private static void AppendBar(StringBuilder svg, int x, int y, double width, string color) =>
        Append(svg, $"<rect class=\"{color}\" x=\"{x}\" y=\"{y}\" width=\"{width:F1}\" height=\"{BarHeight}\"/>");

    private static void AppendValue(StringBuilder svg, double x, int y, double value, string format) =>
        Append(svg, $"<text class=\"value\" x=\"{x:F1}\" y=\"{y + 13}\">{Markdown.Format(value, format)}</text>");

    private static void Append(StringBuilder svg, FormattableString line) =>
        svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
