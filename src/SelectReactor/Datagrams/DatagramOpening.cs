using System.Net;
using System.Net.Sockets;
using SelectReactor.Endpoints;
using SelectReactor.Selection;

namespace SelectReactor.Datagrams;

/// <summary>One call of <c>BindDatagram</c>, <c>ConnectDatagram</c> or their twins for any thread: its arguments,
/// verified and copied.</summary>
internal sealed class DatagramOpening
{
    private readonly Reactor _reactor;
    private readonly EndPoint? _local;
    private readonly EndPoint? _remote;
    private readonly IDatagramHandler _handler;
    private readonly DatagramOptions _options;
    private readonly string _attempt;

    private DatagramOpening(
        Reactor reactor, EndPoint? local, EndPoint? remote, IDatagramHandler handler, DatagramOptions options)
    {
        _reactor = reactor;
        _local = local;
        _remote = remote;
        _handler = handler;
        _options = options;
        _attempt = remote is null
            ? $"Can't receive datagrams on {EndPointText.Of(local)}"
            : $"Can't open a datagram socket to {EndPointText.Of(remote)}";
    }

    private EndPoint EndPoint => _remote ?? _local!;

    private AddressFamily Family => EndPoint.AddressFamily;

    private bool IsV6 => Family == AddressFamily.InterNetworkV6;

    private bool IsDual => IsV6 && _options.DualMode;

    public static DatagramOpening Bind(
        Reactor reactor, EndPoint endPoint, IDatagramHandler handler, DatagramOptions options)
    {
        Verify(reactor, endPoint, handler, options);
        return new DatagramOpening(reactor, AddressOf(endPoint, options), remote: null, handler, options.Copy());
    }

    public static DatagramOpening Connect(
        Reactor reactor, EndPoint endPoint, IDatagramHandler handler, DatagramOptions options)
    {
        Verify(reactor, endPoint, handler, options);
        EndPoint remote = AddressOf(endPoint, options);
        EndPoint? local = options.LocalEndPoint is { } wanted ? AddressOf(wanted, options) : null;
        return local is not null && local.AddressFamily != remote.AddressFamily
            ? throw new ArgumentException(
                $"{nameof(DatagramOptions)}.{nameof(DatagramOptions.LocalEndPoint)} is of {local.AddressFamily}, and "
                    + $"the peer of {remote.AddressFamily}: both must be of one address family.",
                nameof(options))
            : new DatagramOpening(reactor, local, remote, handler, options.Copy());
    }

    /// <summary>The reactor's thread only.</summary>
    public DatagramSocket Run()
    {
        _reactor.VerifyCanStart();
        Handle handle = Create();
        try
        {
            Set(handle);
            if (_local is not null)
            {
                Bind(handle);
            }

            if (_remote is not null)
            {
                SocketFailure.ThrowOnError(handle.Connect(_remote), _attempt, _remote, SocketStep.Connect);
                DropStrangers(handle);
            }

            return new ReactorDatagramSocket(_reactor, handle, Family, _handler, _options);
        }
        catch
        {
            handle.Close();
            throw;
        }
    }

    /// <summary>Any thread.</summary>
    public Task<DatagramSocket> RunAsync() => _reactor.InvokeAsync<DatagramSocket>(Run);

    private static void Verify(Reactor reactor, EndPoint endPoint, IDatagramHandler handler, DatagramOptions options)
    {
        ArgumentNullException.ThrowIfNull(reactor);
        ArgumentNullException.ThrowIfNull(endPoint);
        ArgumentNullException.ThrowIfNull(handler);
        ArgumentNullException.ThrowIfNull(options);
        if (endPoint is DnsEndPoint name)
        {
            throw new NotSupportedException(
                $"{name.Host} is a host name: resolve it with Dns.GetHostAddressesAsync and pass an IPEndPoint.");
        }
    }

    private static EndPoint AddressOf(EndPoint endPoint, DatagramOptions options) =>
        MappedAddress.Copy(options.DualMode ? endPoint : MappedAddress.ToIPv4(endPoint));

    private Handle Create()
    {
        try
        {
            return _reactor.HandleFactory.CreateDatagram(Family);
        }
        catch (SocketException exception)
        {
            throw SocketFailure.Create(exception.SocketErrorCode, _attempt, EndPoint, SocketStep.Listen);
        }
    }

    private void Bind(Handle handle)
    {
        SocketError error = handle.Bind(_local!);
        if (error == SocketError.AddressAlreadyInUse
            && UnixSocketFile.TryRemoveAbandoned(_local!, _reactor.HandleFactory.CreateDatagram))
        {
            error = handle.Bind(_local!);
        }

        SocketFailure.ThrowOnError(
            error, _attempt, _local!, _remote is null ? SocketStep.Listen : SocketStep.BindBeforeConnect);
    }

    // Until it was connected, a socket that is bound took datagrams of anybody.
    private void DropStrangers(Handle handle)
    {
        SocketError error = SocketError.Success;
        while (_local is not null && error is SocketError.Success or SocketError.MessageSize)
        {
            error = handle.Receive([], out _);
        }
    }

    private void Set(Handle handle)
    {
        if (IsV6)
        {
            Require(
                handle.SetOption(SocketOptionLevel.IPv6, SocketOptionName.IPv6Only, IsDual ? 0 : 1),
                nameof(DatagramOptions.DualMode));
        }

        if (_options.ReuseAddress)
        {
            SetSocket(handle, SocketOptionName.ReuseAddress, nameof(DatagramOptions.ReuseAddress));
        }

        if (_options.Broadcast)
        {
            SetSocket(handle, SocketOptionName.Broadcast, nameof(DatagramOptions.Broadcast));
        }

        // The socket works without them, so a system that refuses one is no error.
        if (_options.SendBufferBytes is { } sendBytes)
        {
            handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.SendBuffer, sendBytes);
        }

        if (_options.ReceiveBufferBytes is { } receiveBytes)
        {
            handle.SetOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer, receiveBytes);
        }

        if (Family is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)
        {
            SetInternet(handle);
            SetMulticast(handle);
        }
    }

    private void SetInternet(Handle handle)
    {
        if (_options.TimeToLive is { } hops)
        {
            SetBoth(handle, SocketOptionName.IpTimeToLive, hops, nameof(DatagramOptions.TimeToLive));
        }

        if (!_options.DontFragment)
        {
            return;
        }

        if (!IsV6 || IsDual)
        {
            Require(
                handle.SetOption(SocketOptionLevel.IP, SocketOptionName.DontFragment, 1),
                nameof(DatagramOptions.DontFragment));
        }

        if (IsV6)
        {
            Require(DatagramSystem.SetDontFragmentV6(handle), nameof(DatagramOptions.DontFragment));
        }
    }

    private void SetMulticast(Handle handle)
    {
        DatagramSystem.HearOwnGroupsOnly(handle, IsV6);
        if (_options.MulticastTimeToLive != DatagramOptions.Default.MulticastTimeToLive)
        {
            SetBoth(
                handle,
                SocketOptionName.MulticastTimeToLive,
                _options.MulticastTimeToLive,
                nameof(DatagramOptions.MulticastTimeToLive));
        }

        if (!_options.MulticastLoopback)
        {
            SetBoth(handle, SocketOptionName.MulticastLoopback, 0, nameof(DatagramOptions.MulticastLoopback));
        }

        if (_options.MulticastInterface is not 0 and int index)
        {
            // Of IPv4 it takes an address, or an index in the byte order of the network.
            SocketError error = IsV6
                ? handle.SetOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface, index)
                : handle.SetOption(
                    SocketOptionLevel.IP, SocketOptionName.MulticastInterface, IPAddress.HostToNetworkOrder(index));
            Require(error, nameof(DatagramOptions.MulticastInterface));
        }
    }

    private void SetSocket(Handle handle, SocketOptionName name, string option) =>
        Require(handle.SetOption(SocketOptionLevel.Socket, name, 1), option);

    // A socket for both protocols has the option of each.
    private void SetBoth(Handle handle, SocketOptionName name, int value, string option)
    {
        SocketOptionLevel level = IsV6 ? SocketOptionLevel.IPv6 : SocketOptionLevel.IP;
        Require(handle.SetOption(level, name, value), option);
        if (IsDual)
        {
            handle.SetOption(SocketOptionLevel.IP, name, value);
        }
    }

    private void Require(SocketError error, string option) =>
        SocketFailure.ThrowOnError(error, $"{_attempt}: {option}", EndPoint, SocketStep.Listen);
}
