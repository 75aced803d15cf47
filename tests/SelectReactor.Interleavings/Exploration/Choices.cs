namespace SelectReactor.Interleavings.Exploration;

/// <summary>The decisions of one schedule, replayed and then varied from the last one back.</summary>
internal sealed class Choices
{
    private readonly List<(int Options, int Taken)> _path = [];
    private int _depth;

    public int Choose(int options)
    {
        if (options == 1)
        {
            return 0;
        }

        if (_depth == _path.Count)
        {
            _path.Add((options, 0));
        }

        Scenario.Require(_path[_depth].Options == options, "The scenario does not repeat itself.");
        return _path[_depth++].Taken;
    }

    /// <summary>Turns to the next schedule.</summary>
    /// <returns>False when there is none left.</returns>
    public bool MoveNext()
    {
        _depth = 0;
        while (_path.Count > 0)
        {
            (int options, int taken) = _path[^1];
            if (taken + 1 < options)
            {
                _path[^1] = (options, taken + 1);
                return true;
            }

            _path.RemoveAt(_path.Count - 1);
        }

        return false;
    }
}
