using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace SelectReactor.Benchmarks;

/// <summary>Shows megabytes and messages for each second, of benchmarks that work through a buffer in each call and
/// have the parameter <c>MessageBytes</c>.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class ThroughputColumnsAttribute(int bufferBytes) : Attribute, IConfigSource
{
    public IConfig Config { get; } = ManualConfig.CreateEmpty().AddColumn(
        new Column("MB/s", _ => bufferBytes / 1e6),
        new Column("million messages/s", messageBytes => bufferBytes / (double)messageBytes / 1e6));

    private sealed class Column(string name, Func<int, double> amount) : IColumn
    {
        public string Id => name;

        public string ColumnName => name;

        public bool AlwaysShow => true;

        public ColumnCategory Category => ColumnCategory.Statistics;

        public int PriorityInCategory => 0;

        public bool IsNumeric => true;

        public UnitType UnitType => UnitType.Dimensionless;

        public string Legend => name;

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
        {
            if (summary[benchmarkCase]?.ResultStatistics is not { } statistics)
            {
                return "-";
            }

            double seconds = statistics.Mean / 1e9;
            double perSecond = amount((int)benchmarkCase.Parameters["MessageBytes"]) / seconds;
            return perSecond.ToString("N0", CultureInfo.InvariantCulture);
        }

        public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) =>
            GetValue(summary, benchmarkCase);

        public bool IsAvailable(Summary summary) => true;

        public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;
    }
}
