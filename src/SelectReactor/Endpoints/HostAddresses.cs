using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Endpoints;

/// <summary>
/// Resolves the addresses of one host. It asks for both families at once and hands the addresses out in turns, IPv6
/// first. If the IPv4 addresses come first, it waits a moment for the IPv6 ones before it hands any out (RFC 8305).
/// </summary>
internal sealed class HostAddresses
{
    /// <summary>The most addresses of one family that are tried. A longer answer is an attack.</summary>
    private const int MaxAddresses = 32;

    private static readonly AddressFamily[] _both = [AddressFamily.InterNetworkV6, AddressFamily.InterNetwork];
    private readonly Reactor _reactor;
    private readonly DnsEndPoint _name;
    private readonly ConnectOptions _options;
    private readonly Action _changed;
    private readonly Action _cancel;
    private readonly CancellationToken _cancelled;
    private readonly Queue<IPAddress> _sixes = new();
    private readonly Queue<IPAddress> _fours = new();
    private ReactorTimer? _delay;
    private bool _lastWasSix;
    private int _resolving;

    /// <summary>Prepares a resolution; <see cref="Resolve"/> starts it. <paramref name="changed"/> is called on the
    /// reactor's thread when more addresses have come, and when none will come any more.</summary>
    public HostAddresses(Reactor reactor, DnsEndPoint name, ConnectOptions options, Action changed)
    {
        _reactor = reactor;
        _name = name;
        _options = options;
        _changed = changed;

        // A source without a timer or a wait handle needs no disposal. The resolver's callbacks on the token run on
        // the thread pool, so that they can't block the loop.
        var cancellation = new CancellationTokenSource();
        _cancel = () => _ = cancellation.CancelAsync();
        _cancelled = cancellation.Token;
    }

    /// <summary>Whether an answer is still missing.</summary>
    public bool IsResolving => _resolving > 0;

    /// <summary>The resolver's error. Null if it reported none.</summary>
    public Exception? Error { get; private set; }

    public void Resolve()
    {
        // A local address to bind leaves one family to choose from, except "any IPv6 address", which an IPv4 attempt
        // reads as "any IPv4 address".
        AddressFamily wanted = _options.LocalEndPoint is { } local && !MappedAddress.IsAnyOfBothFamilies(local)
            ? MappedAddress.ToIPv4(local).AddressFamily
            : _name.AddressFamily;
        AddressFamily[] families = wanted == AddressFamily.Unspecified ? _both : [wanted];
        _resolving = families.Length;
        foreach (AddressFamily family in families)
        {
            Ask(family).ContinueWith(
                task =>
                {
                    // Read here, also if nobody will: a task whose exception nobody has read reports it as unobserved.
                    Exception? error = ErrorOf(task);
                    _reactor.TryPost(_ => OnResolved(family, task, error), null);
                },
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    /// <summary>The next address to try. Null if there is none, or none yet.</summary>
    public IPEndPoint? TakeNext()
    {
        if (_delay is { IsActive: true })
        {
            return null;
        }

        Queue<IPAddress> turn = _lastWasSix ? _fours : _sixes;
        Queue<IPAddress> other = _lastWasSix ? _sixes : _fours;
        if (!turn.TryDequeue(out IPAddress? address) && !other.TryDequeue(out address))
        {
            return null;
        }

        _lastWasSix = address.AddressFamily == AddressFamily.InterNetworkV6;
        return new IPEndPoint(address, _name.Port);
    }

    /// <summary>Cancels the resolution and forgets its answers.</summary>
    public void Cancel()
    {
        _cancel();
        _delay?.Cancel();
    }

    private Task<IPAddress[]> Ask(AddressFamily family)
    {
        try
        {
            _reactor.BeginCallback(_reactor.NameResolver);
            return _reactor.NameResolver.ResolveAsync(_name.Host, family, _cancelled)
                ?? throw new InvalidOperationException("The resolver returned no task.");
        }
        catch (Exception exception)
        {
            return Task.FromException<IPAddress[]>(exception);
        }
        finally
        {
            _reactor.EndCallback();
        }
    }

    private static Exception? ErrorOf(Task task) => task.IsCanceled
        ? new OperationCanceledException("the resolver cancelled the question.")
        : task.Exception?.InnerException;

    private void OnResolved(AddressFamily family, Task<IPAddress[]> task, Exception? error)
    {
        _resolving--;
        if (task is { IsCompletedSuccessfully: true, Result: { } answer })
        {
            foreach (IPAddress answered in answer.Take(MaxAddresses).OfType<IPAddress>())
            {
                IPAddress address = answered.IsIPv4MappedToIPv6 ? answered.MapToIPv4() : answered;
                (address.AddressFamily == AddressFamily.InterNetworkV6 ? _sixes : _fours).Enqueue(address);
            }
        }
        else
        {
            Error ??= error;
        }

        bool waitsForSixes = family == AddressFamily.InterNetwork
            && IsResolving && _options.ResolutionDelay > TimeSpan.Zero;
        if (waitsForSixes && !_cancelled.IsCancellationRequested)
        {
            _delay = _reactor.Schedule(
                _options.ResolutionDelay, static self => ((HostAddresses)self!).EndDelay(), this);
        }
        else
        {
            EndDelay();
        }
    }

    private void EndDelay()
    {
        _delay?.Cancel();
        _changed();
    }
}
