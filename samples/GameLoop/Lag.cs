namespace GameLoop;

/// <summary>The mean and the worst of some times: of the last second, and of all.</summary>
internal sealed class Lag
{
    private Times _recent;
    private Times _all;

    public void Add(TimeSpan time)
    {
        _recent.Add(time);
        _all.Add(time);
    }

    /// <summary>Says what was added since the last call.</summary>
    public string TakeRecent()
    {
        string text = _recent.ToString();
        _recent = default;
        return text;
    }

    /// <summary>Says what was ever added.</summary>
    public override string ToString() => _all.ToString();

    private struct Times
    {
        private TimeSpan _sum;
        private TimeSpan _worst;
        private int _count;

        public void Add(TimeSpan time)
        {
            _sum += time;
            _worst = time > _worst ? time : _worst;
            _count++;
        }

        public override readonly string ToString() =>
            $"{_sum.TotalMilliseconds / Math.Max(_count, 1):0.0} ms (worst {_worst.TotalMilliseconds:0.0} ms)";
    }
}
