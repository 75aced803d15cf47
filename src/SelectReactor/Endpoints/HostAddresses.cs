using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Endpoints;

/// <summary>
/// The addresses of one host, asked for both families at once, and handed out in turns, IPv6 first. As
/// RFC 8305 says: when the IPv4 ones come first, the IPv6 ones are given a moment before anything starts.
/// </summary>
internal sealed class HostAddresses
{
    /// <summary>Of one family; whoever answers with more does not mean well.</summary>
    private const int MostAddresses = 32;

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

    /// <summary>Nothing is asked before <see cref="Resolve"/>; <paramref name="changed"/> is called on the reactor's thread
    /// when there are more addresses, or there will be none.</summary>
    public HostAddresses(Reactor reactor, DnsEndPoint name, ConnectOptions options, Action changed)
    {
        _reactor = reactor;
        _name = name;
        _options = options;
        _changed = changed;

        // Without a timer or a wait handle a source has nothing to dispose of. What the resolver does on cancellation is its
        // own matter, on a thread of the pool.
        var cancellation = new CancellationTokenSource();
        _cancel = () => _ = cancellation.CancelAsync();
        _cancelled = cancellation.Token;
    }

    /// <summary>Whether an answer is still to come.</summary>
    public bool IsResolving => _resolving > 0;

    /// <summary>Why there are no addresses, if that is so.</summary>
    public Exception? Error { get; private set; }

    public void Resolve()
    {
        // An address of its own to bind to leaves one family to choose from.
        AddressFamily wanted = _options.LocalEndPoint?.AddressFamily ?? _name.AddressFamily;
        AddressFamily[] families = wanted == AddressFamily.Unspecified ? _both : [wanted];
        _resolving = families.Length;
        foreach (AddressFamily family in families)
        {
            Ask(family).ContinueWith(
                task => _reactor.TryPost(_ => OnResolved(family, task), null),
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
        }
    }

    /// <summary>The next address to try; null when there is none, or not yet.</summary>
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

    /// <summary>Nobody waits for the answers any more.</summary>
    public void Cancel()
    {
        _cancel();
        _delay?.Cancel();
    }

    private Task<IPAddress[]> Ask(AddressFamily family)
    {
        try
        {
            return _reactor.NameResolver.ResolveAsync(_name.Host, family, _cancelled)
                ?? throw new InvalidOperationException("The resolver returned no task.");
        }
        catch (Exception exception)
        {
            return Task.FromException<IPAddress[]>(exception);
        }
    }

    private void OnResolved(AddressFamily family, Task<IPAddress[]> task)
    {
        _resolving--;
        if (task is { IsCompletedSuccessfully: true, Result: { } answer })
        {
            foreach (IPAddress address in answer.Take(MostAddresses).OfType<IPAddress>())
            {
                (address.AddressFamily == AddressFamily.InterNetworkV6 ? _sixes : _fours).Enqueue(address);
            }
        }
        else
        {
            Error ??= task.Exception?.InnerException;
        }

        bool waitsForSixes = family == AddressFamily.InterNetwork && IsResolving && _options.ResolutionDelay > TimeSpan.Zero;
        if (waitsForSixes && !_cancelled.IsCancellationRequested)
        {
            _delay = _reactor.Schedule(_options.ResolutionDelay, static self => ((HostAddresses)self!).EndDelay(), this);
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
