using System.Diagnostics.CodeAnalysis;

namespace SelectReactor.Testing.Network;

/// <summary>One reactor of a simulated host, and when it runs its next tick.</summary>
[SuppressMessage("Reliability", "CA1001",
    Justification = "The reactor owns its selector, and the network the reactor.")]
internal sealed class SimulatedLoop
{
    private long _stalledUntil;

    public SimulatedLoop(SimulatedHost host)
    {
        Host = host;
        Selector = new SimulatedSelector(this);
    }

    public SimulatedHost Host { get; }

    public SimulatedSelector Selector { get; }

    /// <summary>Set once, before the first tick.</summary>
    public Reactor Reactor { get; set; } = null!;

    public long Ticks { get; private set; }

    /// <summary>When the reactor runs its next tick if nothing happens before. Never, once it is disposed.</summary>
    public long WakeAt => Selector.IsDisposed ? long.MaxValue
        : IsTouched || Selector.IsWoken ? _stalledUntil
        : Math.Max(Selector.SleepsUntil, _stalledUntil);

    /// <summary>Whether the reactor waits for an event or for a timer.</summary>
    public bool IsAsleep =>
        Selector.IsDisposed || (!IsTouched && !Selector.IsWoken && Selector.SleepsUntil > Network.Now);

    /// <summary>Whether the reactor is in a tick: it can't begin another.</summary>
    public bool IsBusy { get; private set; }

    private SimulatedNetwork Network => Host.Network;

    /// <summary>Whether something happened to it since its last wait.</summary>
    private bool IsTouched { get => field && !Selector.IsDisposed; set; } = true;

    /// <summary>Something happened that may concern the reactor.</summary>
    public void Touch() => IsTouched = true;

    public void BeginWait() => IsTouched = false;

    public void Stall(TimeSpan time) => _stalledUntil = Math.Max(_stalledUntil, Network.After(time));

    public void Tick()
    {
        IsBusy = true;
        try
        {
            Ticks++;
            IsTouched = Reactor.RunOnce(Timeout.InfiniteTimeSpan) > 0 || IsTouched;
            if (!IsAsleep)
            {
                Network.NoteUserCode();
            }

            Host.ThrowFault();
        }
        catch (Exception exception) when (exception == Selector.Fault)
        {
            // As the thread of the reactor would end.
        }
        finally
        {
            IsBusy = false;
            Stall(Network.Conditions.TickTime);
        }
    }

    /// <summary>Runs the rest of the network while this reactor is in the middle of a tick.</summary>
    public bool Wait(Func<bool> isOver, long deadline)
    {
        bool wasBusy = IsBusy;
        IsBusy = true;
        try
        {
            return Network.Drive(isOver, deadline);
        }
        finally
        {
            IsBusy = wasBusy;
        }
    }
}
