using ScottPlot;
using ScottPlot.Plottables;
using SelectReactor.LoadTest.Orchestration;
using SelectReactor.LoadTest.Servers;
using SkiaSharp;

namespace SelectReactor.LoadTest.Report;

/// <summary>One picture of a run: a panel for each scenario, a bar for each server, with the range over the
/// rounds.</summary>
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

    // The first sans-serif family that is installed; ScottPlot's own choice may be none, and then a serif one is
    // taken.
    private static readonly string _font = SKFontManager.Default.FontFamilies
        .Where(family => family.Contains("Sans", StringComparison.Ordinal))
        .OrderBy(family => family.Length)
        .FirstOrDefault(Fonts.Default);

    /// <summary>Writes <paramref name="file"/> with the extensions .svg and .png.</summary>
    public static void Write(Results results, string file)
    {
        IReadOnlyList<ScenarioSummary> scenarios =
        [
            .. ScenarioSummary.Summarize(results).Where(
                scenario => scenario.Servers.Any(server => server.Value is not null)),
        ];
        if (scenarios.Count == 0)
        {
            throw new LoadTestException("nothing was measured");
        }

        using var letters = SKTypeface.FromFamilyName(_font);
        if (!letters.ContainsGlyph('A'))
        {
            throw new LoadTestException("no font is installed (package fonts-dejavu-core)");
        }

        int columns = Math.Min(MostColumns, scenarios.Count);
        int rows = (scenarios.Count + columns - 1) / columns;
        int width = columns * PanelWidth;
        int panelHeight = FrameHeight + (BarHeight * scenarios.Max(scenario => scenario.Servers.Count));
        int height = rows * panelHeight;
        Plot[] panels = [.. scenarios.Select(Draw)];

        using (var bitmap = new SKBitmap(width, height))
        using (var canvas = new SKCanvas(bitmap))
        using (FileStream png = File.Create($"{file}.png"))
        {
            Render(canvas);
            bitmap.Encode(png, SKEncodedImageFormat.Png, quality: 100);
        }

        using FileStream svg = File.Create($"{file}.svg");
        using SKCanvas svgCanvas = SKSvgCanvas.Create(new SKRect(0, 0, width, height), svg);
        Render(svgCanvas);

        void Render(SKCanvas canvas)
        {
            canvas.Clear(SKColors.White);
            for (int i = 0; i < panels.Length; i++)
            {
                int left = i % columns * PanelWidth;
                int top = i / columns * panelHeight;
                panels[i].Render(canvas, new PixelRect(left, left + PanelWidth, top + panelHeight, top));
            }
        }
    }

    private static Plot Draw(ScenarioSummary summary)
    {
        var plot = new Plot();

        // Each panel would clear the whole picture first.
        plot.RenderManager.ClearCanvasBeforeEachRender = false;
        plot.Font.Set(_font);
        ServerSummary? reference = summary.Scenario.Figure == Figure.BytesPerConnection || summary.Servers.Count == 1
            ? null
            : summary.Find(CReference.Name) ?? summary.Find("kestrel") ?? summary.Find("naive");
        (string unit, double scale, string format) = Markdown.Unit(summary.Scenario.Figure);
        Line[] lines = [.. summary.Servers.Select(server => CreateLine(server, reference, scale))];
        double greatest = lines.Max(line => line.Spread?.Greatest ?? 0);
        if (reference is not null)
        {
            plot.Add.VerticalLine(1, 1, _others);
        }

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

        // Room for the figures at the right of the bars.
        plot.Axes.SetLimits(0, greatest * 1.2, -0.6, lines.Length - 0.4);
        string better = summary.Scenario.Figure
            is Figure.MedianLatency or Figure.BytesPerConnection or Figure.StormSeconds
            ? "less is better"
            : "more is better";
        plot.Title(summary.Scenario.Name, size: 18);
        plot.XLabel(
            reference is null ? $"{unit} ({better})" : $"{unit}, as a multiple of {reference.Server} ({better})",
            size: 13);
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
                xs: [spread.Median],
                ys: [position],
                xErrorsPositive: [spread.Greatest - spread.Median],
                xErrorsNegative: [spread.Median - spread.Least],
                yErrorsPositive: null,
                yErrorsNegative: null)
            {
                Color = Colors.Black,
                CapSize = 5,
            });
        }

        Text text = plot.Add.Text(label, end + (greatest * 0.02), position);
        text.LabelFontSize = 13;
        text.LabelAlignment = Alignment.MiddleLeft;
        text.LabelBackgroundColor = Colors.White;
    }

    private sealed record Line(ServerSummary Server, Spread? Spread);
}
