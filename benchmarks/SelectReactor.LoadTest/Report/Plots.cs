using ScottPlot;
using ScottPlot.MultiplotLayouts;
using ScottPlot.Plottables;
using SelectReactor.LoadTest.Orchestration;
using SelectReactor.LoadTest.Servers;
using SkiaSharp;

namespace SelectReactor.LoadTest.Report;

/// <summary>One picture of a run: a panel for each scenario, a bar for each server, with the range over the rounds.</summary>
internal static class Plots
{
    private const int PanelWidth = 620;
    private const int BarHeight = 34;
    private const int FrameHeight = 120;
    private const int MostColumns = 2;
    private const double BarThickness = 0.7;
    private static readonly Color _ours = Color.FromHex("#2a6fb0");
    private static readonly Color _others = Color.FromHex("#b8c4d0");
    private static readonly Color _reference = Color.FromHex("#6b7785");

    /// <summary>Writes <paramref name="file"/> with the extensions .svg and .png.</summary>
    public static void Write(Results results, string file)
    {
        IReadOnlyList<ScenarioSummary> scenarios =
        [
            .. ScenarioSummary.Summarize(results).Where(scenario => scenario.Servers.Any(server => server.Value is not null)),
        ];
        if (scenarios.Count == 0)
        {
            throw new LoadTestException("nothing was measured");
        }

        if (SKFontManager.Default.FontFamilyCount == 0)
        {
            throw new LoadTestException("no font is installed (package fonts-dejavu-core)");
        }

        int columns = Math.Min(MostColumns, scenarios.Count);
        int rows = (scenarios.Count + columns - 1) / columns;
        int width = columns * PanelWidth;
        int height = rows * (FrameHeight + (BarHeight * scenarios.Max(scenario => scenario.Servers.Count)));
        var picture = new Multiplot { Layout = new Grid(rows, columns) };
        picture.Reset(Draw(scenarios[0]));
        foreach (ScenarioSummary scenario in scenarios.Skip(1))
        {
            picture.AddPlot(Draw(scenario));
        }

        picture.SavePng($"{file}.png", width, height);
        using var stream = new SKFileWStream($"{file}.svg");
        using SKCanvas canvas = SKSvgCanvas.Create(new SKRect(0, 0, width, height), stream);
        canvas.Clear(SKColors.White);
        picture.Render(canvas, new PixelRect(0, width, height, 0));
    }

    private static Plot Draw(ScenarioSummary summary)
    {
        var plot = new Plot();
        plot.Font.Set(Fonts.Sans);
        ServerSummary? reference = summary.Servers.Count > 1
            ? summary.Find(CReference.Name) ?? summary.Find("kestrel") ?? summary.Find("naive")
            : null;
        (string unit, double scale, string format) = Markdown.Unit(summary.Scenario.Figure);
        Line[] lines = [.. summary.Servers.Select(server => CreateLine(server, reference, scale))];
        double greatest = lines.Max(line => line.Spread?.Greatest ?? 0);
        for (int i = 0; i < lines.Length; i++)
        {
            // The first server at the top.
            DrawLine(plot, lines[i], lines.Length - 1 - i, reference is null ? format : "F2", greatest);
        }

        plot.Axes.Left.SetTicks(
            [.. Enumerable.Range(0, lines.Length).Select(i => (double)i)],
            [.. lines.Reverse().Select(line => line.Server.Server)]);
        plot.Axes.Left.MajorTickStyle.Length = 0;
        plot.Axes.Left.TickLabelStyle.FontSize = 14;
        plot.Axes.Right.FrameLineStyle.Width = 0;
        plot.Axes.Top.FrameLineStyle.Width = 0;
        plot.HideGrid();
        if (reference is not null)
        {
            plot.Add.VerticalLine(1, 1, _reference, LinePattern.Dotted);
        }

        // Room for the figures at the right of the bars.
        plot.Axes.SetLimits(0, greatest * 1.2, -0.6, lines.Length - 0.4);
        string better = summary.Scenario.Figure is Figure.MedianLatency or Figure.BytesPerConnection
            ? "less is better"
            : "more is better";
        plot.Title(summary.Scenario.Name, size: 18);
        plot.XLabel(reference is null ? $"{unit} ({better})" : $"{unit}, as a multiple of {reference.Server} ({better})", size: 13);
        return plot;
    }

    private static Line CreateLine(ServerSummary server, ServerSummary? reference, double scale)
    {
        Spread? spread = reference is null ? server.Value : server.RatioTo(reference);
        double factor = reference is null ? scale : 1;
        return new Line(server, spread is { } values
            ? new Spread(values.Median * factor, values.Least * factor, values.Greatest * factor)
            : null);
    }

    private static void DrawLine(Plot plot, Line line, int position, string format, double greatest)
    {
        double end = 0;
        string label = "failed";
        if (line.Spread is { } spread)
        {
            end = spread.Greatest;
            label = Markdown.Format(spread.Median, format);
            plot.Add.Bar(new Bar
            {
                Position = position,
                Value = spread.Median,
                Orientation = Orientation.Horizontal,
                Size = BarThickness,
                LineWidth = 0,
                FillColor = line.Server.Server switch
                {
                    "select" or "epoll" => _ours,
                    CReference.Name => _reference,
                    _ => _others,
                },
            });
            plot.Add.Plottable(new ErrorBar(
                [spread.Median],
                [position],
                [spread.Median - spread.Least],
                [spread.Greatest - spread.Median],
                null,
                null)
            {
                Color = Colors.Black,
                CapSize = 5,
            });
        }

        Text text = plot.Add.Text(label, end + (greatest * 0.02), position);
        text.LabelFontSize = 13;
        text.LabelAlignment = Alignment.MiddleLeft;
    }

    private sealed record Line(ServerSummary Server, Spread? Spread);
}
