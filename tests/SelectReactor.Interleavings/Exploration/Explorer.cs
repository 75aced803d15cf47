using System.Text;

namespace SelectReactor.Interleavings.Exploration;

/// <summary>
/// Runs a scenario under every schedule that takes the baton from a running thread at most so many times; switches at
/// the end of a thread or where it has to wait are free. What is written last may stay unseen by other threads for a
/// while: see <see cref="StoreBuffers"/>.
/// </summary>
internal sealed class Explorer
{
    private const int MostSteps = 10_000;
    private readonly List<Worker> _workers = [];
    private readonly List<(Worker Worker, string Step)> _trace = [];
    private readonly List<int> _options = [];
    private readonly Choices _choices = new();
    private readonly SemaphoreSlim _over = new(0);
    private readonly int _mostPreemptions;
    private int _preemptions;
    private string? _failure;

    private Explorer(int mostPreemptions) => _mostPreemptions = mostPreemptions;

    public StoreBuffers Buffers { get; } = new();

    public static Outcome Explore(int mostPreemptions, Func<Scenario> create) =>
        new Explorer(mostPreemptions).Explore(create);

    /// <summary>Decides who goes on after a step, and returns when it is <paramref name="self"/>.</summary>
    public void PassOn(Worker self)
    {
        // Read before another has the baton: from then on this worker may already be prepared for the next schedule.
        bool isDone = self.IsDone;
        Worker? next = ChooseNext(self);
        if (next is null)
        {
            _over.Release();
            return;
        }

        if (next != self)
        {
            next.Resume();
            if (isDone)
            {
                return;
            }

            self.Await();
        }

        Record(self);
    }

    public void Record(Worker worker)
    {
        _trace.Add((worker, worker.Next));
        if (_trace.Count > MostSteps)
        {
            Fail("It does not come to an end.");
        }
    }

    /// <summary>Ends the exploration. The threads stay where they are: code that failed can't be asked to
    /// leave.</summary>
    public void Fail(string failure)
    {
        var report = new StringBuilder(failure);
        foreach ((Worker worker, string step) in _trace.TakeLast(200))
        {
            report.Append(null, $"\n  {worker.Name}: {step}");
        }

        _failure = report.ToString();
        _over.Release();
        if (Worker.Current is { } self)
        {
            self.Await();
        }
    }

    private Outcome Explore(Func<Scenario> create)
    {
        int schedules = 0;
        int longest = 0;
        do
        {
            schedules++;
            RunOne(create());
            longest = Math.Max(longest, _trace.Count);
        }
        while (_failure is null && _choices.MoveNext());

        if (_failure is null)
        {
            _workers.ForEach(static worker => worker.End());
        }

        return new Outcome(schedules, longest, _failure is null ? null : $"Schedule {schedules}: {_failure}");
    }

    private void RunOne(Scenario scenario)
    {
        while (_workers.Count < scenario.Threads.Length)
        {
            _workers.Add(new Worker(_workers.Count, this));
        }

        _trace.Clear();
        _preemptions = 0;
        Buffers.Clear();
        for (int i = 0; i < scenario.Threads.Length; i++)
        {
            _workers[i].Prepare(scenario.Threads[i].Name, scenario.Threads[i].Body);
        }

        ChooseNext(self: null)!.Resume();
        _over.Wait();
        if (_failure is null)
        {
            StoreBuffers.Observed = Buffers;
            try
            {
                scenario.Check();
            }
            catch (Exception exception)
            {
                Fail(exception.Message);
            }
            finally
            {
                StoreBuffers.Observed = null;
            }
        }
    }

    /// <returns>Null when all are done.</returns>
    private Worker? ChooseNext(Worker? self)
    {
        while (true)
        {
            CollectOptions(self);
            if (_options.Count == 0)
            {
                break;
            }

            int option = _options[Choose()];
            if (option >= _workers.Count)
            {
                Buffers.Drain(_workers[option - _workers.Count]);
                continue;
            }

            Worker next = _workers[option];
            if (next != self && self is { IsPossible: true })
            {
                _preemptions++;
            }

            return next;
        }

        if (_workers.Exists(static worker => !worker.IsDone))
        {
            IEnumerable<Worker> stuck = _workers.Where(static worker => !worker.IsDone);
            IEnumerable<string> names = stuck.Select(static worker => $"{worker.Name} {worker.Next}");
            Fail($"Nobody can go on: {string.Join(", ", names)}.");
        }

        return null;
    }

    private int Choose()
    {
        try
        {
            return _choices.Choose(_options.Count);
        }
        catch (InvalidOperationException exception)
        {
            Fail(exception.Message);
            throw;
        }
    }

    // Who runs already comes first, so that the search begins with the schedules of the fewest switches. After the
    // threads come their store buffers.
    private void CollectOptions(Worker? self)
    {
        _options.Clear();
        if (self is { IsPossible: true })
        {
            _options.Add(self.Index);
        }

        if (_options.Count == 0 || _preemptions < _mostPreemptions)
        {
            foreach (Worker worker in _workers)
            {
                if (worker != self && worker.IsPossible)
                {
                    _options.Add(worker.Index);
                }
            }
        }

        if (_options.Count > 0)
        {
            foreach (Worker worker in _workers)
            {
                if (Buffers.Holds(worker))
                {
                    _options.Add(_workers.Count + worker.Index);
                }
            }
        }
    }
}
