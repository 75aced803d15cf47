using System.Net;

namespace SelectReactor.Testing.InMemory;

/// <summary>
/// The base of test connections: real connections on a network without delays. A test of a handler meets the
/// behaviour of production and waits for nothing.
/// </summary>
internal sealed class TestBench : IDisposable
{
    private const int Port = 7007;

    /// <summary>Far more than a test needs. Two ends that never stop are found within a second.</summary>
    private const int MaxTestSteps = 1_000_000;

    /// <summary>Time stands still while the handler works, so that timers fire exactly at their time.</summary>
    private static readonly SimulatedNetworkOptions _conditions =
        SimulatedNetworkOptions.Ideal with { TickTime = TimeSpan.Zero, MaxSteps = MaxTestSteps };

    private readonly SimulatedNetwork _network = new(seed: 1, _conditions);
    private readonly FaultLog _faults = new();
    private bool _isDisposed;

    public SimulatedClock Clock => _network.Clock;

    public SimulatedHost AddHost(string name) => _network.AddHost(name, new ReactorOptions { Logger = _faults });

    /// <summary>The address that the server listens on.</summary>
    public static IPEndPoint EndPointOf(SimulatedHost server) => server.EndPoint(Port);

    public void VerifyAccess()
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(TestConnection));
        if (_network.IsRunning)
        {
            throw new InvalidOperationException(
                "Called inside a callback: the test drives the connection from outside its callbacks.");
        }
    }

    /// <summary>Runs until only timers are left, and throws what the user's code has thrown.</summary>
    public void Run()
    {
        VerifyAccess();
        _network.RunUntilIdle();
        _faults.ThrowFirst();
    }

    /// <summary>Runs until a condition is true or only timers are left.</summary>
    public void RunUntil(Func<bool> condition)
    {
        VerifyAccess();
        _network.RunUntil(() => condition() || _network.IsIdle);
        _faults.ThrowFirst();
    }

    public void Advance(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        VerifyAccess();

        // Work that the test began before belongs to the time before.
        _network.RunUntilIdle();
        _network.RunFor(time);
        Run();
    }

    public void Dispose()
    {
        _isDisposed = true;
        _network.Dispose();
    }
}
