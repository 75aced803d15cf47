using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Reflection;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>Every options class: what its setters refuse and say, and that using it copies it.</summary>
public sealed class OptionsTests(SelectorKind selector) : ReactorFixture(selector)
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    private static IEnumerable<TestCaseData> Refused =>
    [
        Refusal("ConnectionOptions.MaxInputBytes", 0, "at least 1"),
        Refusal("ConnectionOptions.MaxOutputBytes", -1, "at least 1"),
        Refusal("ConnectionOptions.InputPauseThreshold", 0, "at least 1"),
        Refusal("ConnectionOptions.OutputHighWaterMark", 0, "at least 1"),
        Refusal("ConnectionOptions.OutputLowWaterMark", -1, "at least 0"),
        Refusal("ConnectionOptions.SendBufferBytes", 0, "at least 1"),
        Refusal("ConnectionOptions.ReceiveBufferBytes", -5, "at least 1"),
        Refusal("ConnectionOptions.KeepAliveTime", _second / 2, "at least 00:00:01"),
        Refusal("ConnectionOptions.KeepAliveInterval", TimeSpan.Zero, "at least 00:00:01"),
        Refusal("ConnectionOptions.KeepAliveProbes", 0, "at least 1"),
        Refusal("ConnectionOptions.LingerTimeout", -_second, "zero or more"),
        Refusal("ConnectionOptions.MaxLingerTime", TimeSpan.Zero, "above zero, or Timeout.InfiniteTimeSpan"),
        Refusal("ConnectionOptions.MaxLingerBytes", 0, "at least 1"),
        Refusal("ConnectionOptions.FirstByteTimeout", TimeSpan.Zero, "above zero, or Timeout.InfiniteTimeSpan"),
        Refusal("ConnectionOptions.MessageTimeout", -_second, "above zero, or Timeout.InfiniteTimeSpan"),
        Refusal("ConnectionOptions.ReadIdleTimeout", TimeSpan.Zero, "above zero, or Timeout.InfiniteTimeSpan"),
        Refusal("ConnectionOptions.IdleTimeout", TimeSpan.Zero, "above zero, or Timeout.InfiniteTimeSpan"),
        Refusal("ConnectionOptions.WriteProgressTimeout", TimeSpan.Zero, "above zero, or Timeout.InfiniteTimeSpan"),
        Refusal("ReactorOptions.SlowCallbackThreshold", TimeSpan.Zero, "above zero, or Timeout.InfiniteTimeSpan"),
        Refusal("ConnectOptions.Timeout", TimeSpan.Zero, "above zero, or Timeout.InfiniteTimeSpan"),
        Refusal("ConnectOptions.AttemptDelay", -_second, "zero or more"),
        Refusal("ConnectOptions.ResolutionDelay", -_second, "zero or more"),
        Refusal("ListenerOptions.Backlog", 0, "at least 1"),
        Refusal("ListenerOptions.MaxAcceptsPerTick", 0, "at least 1"),
        Refusal("ListenerOptions.MaxConnections", 0, "at least 1"),
        Refusal("ListenerOptions.WhenFull", (WhenFull)7, "Pause or Refuse"),
        Refusal("ProxyProtocolOptions.Timeout", TimeSpan.Zero, "above zero, or Timeout.InfiniteTimeSpan"),
        Refusal("ProxyProtocolOptions.MaxHeaderBytes", 0, "at least 1"),
        Refusal("ProxyProtocolOptions.Version", (ProxyProtocolVersion)3, "Version1 or Version2"),
        Refusal("ProxyProtocolOptions.UntrustedClients", (UntrustedClients)7, "Refuse or ServeDirectly"),
        Refusal("TlsServerOptions.HandshakeTimeout", TimeSpan.Zero, "above zero, or Timeout.InfiniteTimeSpan"),
        Refusal("TlsServerOptions.MaxConcurrentHandshakes", 0, "at least 1"),
        Refusal("TlsClientOptions.HandshakeTimeout", -_second, "above zero, or Timeout.InfiniteTimeSpan"),
        Refusal("ReactorOptions.MaxPostsPerTick", 0, "at least 1"),
        Refusal("ReactorOptions.MaxConnections", 0, "at least 1"),
        Refusal("ReactorOptions.MaxLingeringConnections", 0, "at least 1"),
        Refusal("DatagramOptions.MaxDatagramsPerTick", 0, "at least 1"),
        Refusal("DatagramOptions.MaxDatagramBytes", 0, "at least 1"),
        Refusal("DatagramOptions.SendBufferBytes", 0, "at least 1"),
        Refusal("DatagramOptions.ReceiveBufferBytes", -1, "at least 1"),
        Refusal("DatagramOptions.TimeToLive", 0, "from 1 to 255"),
        Refusal("DatagramOptions.MulticastTimeToLive", 256, "from 0 to 255"),
        Refusal("DatagramOptions.MulticastInterface", -1, "at least 0"),
        Refusal("ReactorGroupOptions.MaxConnections", 0, "at least 1"),
        Refusal("ReactorGroupOptions.DisposeTimeout", TimeSpan.Zero, "above zero and at most one day"),
        Refusal("ReactorGroupOptions.Sharing", (ClientSharing)9, "Automatic or LeastConnections"),
    ];

    private static Type[] All { get; } =
    [
        typeof(ReactorOptions), typeof(ListenerOptions), typeof(ConnectOptions), typeof(ConnectionOptions),
        typeof(DatagramOptions),
        typeof(ProxyProtocolOptions),
        typeof(ReactorGroupOptions),
        typeof(TlsServerOptions), typeof(TlsClientOptions),
    ];

    private static IEnumerable<string> References =>
        from type in All
        from property in type.GetProperties()
        where !property.PropertyType.IsValueType
            && new NullabilityInfoContext().Create(property).WriteState == NullabilityState.NotNull
        select $"{type.Name}.{property.Name}";

    [TestCaseSource(nameof(Refused))]
    public void ARefusedValue_IsNamedWithItsOptionAndWhatIsAllowed(string option, object value, string allowed)
    {
        (object options, PropertyInfo property) = Make(option);
        object? before = property.GetValue(options);

        ArgumentOutOfRangeException error = Assert.Throws<ArgumentOutOfRangeException>(
            () => property.SetValue(options, value, BindingFlags.DoNotWrapExceptions, null, null, null))!;

        Assert.That(error.Message, Does.StartWith($"{option} must be {allowed}").And.Contain($", not {value}."));
        Assert.That(error.Message, Does.Not.Contain("\n"));
        Assert.That(error.ParamName, Is.EqualTo(property.Name));
        Assert.That(property.GetValue(options), Is.EqualTo(before));
    }

    // A new number or duration must have a case above, or a reason to be left out here.
    [Test]
    public void EveryNumberAndDuration_HasACase() =>
        Assert.That(
            from type in All
            from property in type.GetProperties()
            let value = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType
            where value == typeof(int) || value == typeof(TimeSpan) || value.IsEnum
            select $"{type.Name}.{property.Name}",
            Is.SubsetOf(Refused.Select(static refusal => refusal.Arguments[0])));

    [TestCaseSource(nameof(References))]
    public void Null_IsRefused_WithTheOptionsName(string option)
    {
        (object options, PropertyInfo property) = Make(option);

        Assert.That(
            () => property.SetValue(options, null, BindingFlags.DoNotWrapExceptions, null, null, null),
            Throws.ArgumentNullException
                .With.Message.StartsWith($"{option} must not be null.")
                .And.Property(nameof(ArgumentException.ParamName)).EqualTo(property.Name));
    }

    [Test]
    public void TheNestedOptions_AreAmongThoseThatMustNotBeNull() =>
        Assert.That(References, Is.SupersetOf(
            new[] { "ListenerOptions.Connection", "ConnectOptions.Connection", "ReactorOptions.Logger" }));

    [Test]
    public void AHostNameAsLocalEndPoint_IsRefused() =>
        Assert.That(
            static () => new ConnectOptions { LocalEndPoint = new DnsEndPoint("example.com", 0) },
            Throws.ArgumentException
                .With.Message.Contains("ConnectOptions.LocalEndPoint must be an address")
                .And.Message.Contains("example.com"));

    // Every property is set to a value of its own before, and to another one after the copy.
    [TestCaseSource(nameof(All))]
    public void ACopy_HasEveryValue_AndDoesNotFollowTheOriginal(Type type)
    {
        const BindingFlags flags = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        MethodInfo[] methods =
            [.. new[] { "Copy", "Clone" }.Select(name => type.GetMethod(name, flags)).OfType<MethodInfo>()];
        Assert.That(methods, Is.Not.Empty);
        foreach (MethodInfo method in methods)
        {
            object options = Activator.CreateInstance(type)!;
            Fill(options, 1);
            object copy = method.Invoke(options, null)!;
            Dictionary<string, object?> copied = Values(copy);

            Assert.That(copied, Is.EqualTo(Values(options)));
            Fill(options, 2);
            Assert.That(Values(copy), Is.EqualTo(copied));
            Assert.That(
                Values(options).Where(value => Equals(value.Value, copied[value.Key])), Is.Empty, "all have changed");
        }
    }

    [Test]
    public void AListener_DoesNotFollowItsOptions()
    {
        var handler = new ScriptedHandler();
        var options = new ListenerOptions { MaxAcceptsPerTick = 1, Connection = { MaxInputBytes = 100 } };
        using Listener listener = Reactor.Listen(AnyPort, handler, options);
        options.MaxConnections = 1;
        options.WhenFull = WhenFull.Refuse;
        options.MaxAcceptsPerTick = 16;
        options.Connection.MaxInputBytes = 1_000_000;
        using var first = Peer.Connect(listener.LocalEndPoint);
        using var second = Peer.Connect(listener.LocalEndPoint);
        RunUntil(() => handler.Connections.Count > 0);
        Assert.That(handler.Connections, Has.Count.EqualTo(1), "one a tick");
        RunUntil(() => handler.Connections.Count == 2);
        handler.Readable = ScriptedHandler.ExamineAll;
        ExceedHundredBytes(handler, first);

        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.LimitExceeded));
        Assert.That(listener.Refused, Is.Zero);
    }

    [Test]
    public void AnAttemptUnderWay_FollowsNeitherItsOptionsNorItsEndPoint()
    {
        using Socket server = Peer.Listen();
        var handler = new ScriptedHandler { Readable = ScriptedHandler.ExamineAll };
        var endPoint = (IPEndPoint)server.LocalEndPoint!;
        var local = new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0);
        var options = new ConnectOptions { LocalEndPoint = local, Connection = { MaxInputBytes = 100 } };
        Task<Connection> connecting = Reactor.ConnectAsync(endPoint, handler, options);
        endPoint.Port = 1;
        local.Address = IPAddress.Parse("192.0.2.1");
        options.LocalEndPoint = null;
        options.Connection.MaxInputBytes = 1_000_000;
        Connection connection = RunUntil(connecting);
        using var peer = Peer.Accept(server);
        ExceedHundredBytes(handler, peer);

        Assert.That(((IPEndPoint)connection.LocalEndPoint!).Address, Is.EqualTo(IPAddress.Parse("127.0.0.2")));
        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.LimitExceeded));
    }

    [Test]
    public void AnAdoptedConnection_DoesNotFollowItsOptions()
    {
        using Socket server = Peer.Listen();
        using var peer = Peer.Connect(server.LocalEndPoint!);
        var handler = new ScriptedHandler { Readable = ScriptedHandler.ExamineAll };
        var options = new ConnectionOptions { MaxInputBytes = 100 };
        Reactor.Adopt(server.Accept(), handler, options);
        options.MaxInputBytes = 1_000_000;
        ExceedHundredBytes(handler, peer);

        Assert.That(handler.CloseReason.Kind, Is.EqualTo(CloseKind.LimitExceeded));
    }

    [Test]
    public void AReactor_DoesNotFollowItsOptions()
    {
        ReactorOptions options = Options();
        options.MaxPostsPerTick = 2;
        using var reactor = new Reactor(options);
        options.MaxPostsPerTick = 1000;
        options.TimeProvider = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        int ran = 0;
        for (int i = 0; i < 5; i++)
        {
            reactor.Post(() => ran++);
        }

        reactor.RunOnce(TimeSpan.Zero);
        Assert.That(ran, Is.EqualTo(2));
        Assert.That(reactor.TimeProvider, Is.SameAs(TimeProvider.System));
    }

    [Test]
    public void AnInputPauseThresholdAboveTheLimit_CountsAsTheLimit()
    {
        var handler = new ScriptedHandler { Readable = static _ => { } };
        var options = new ConnectionOptions { InputPauseThreshold = 1_000_000, MaxInputBytes = 10_000 };
        using Listener listener = Reactor.Listen(AnyPort, handler, new ListenerOptions { Connection = options });
        using var peer = Peer.Connect(listener.LocalEndPoint);
        peer.Send(new byte[10_000]);
        RunUntil(() => handler.IsConnected && handler.Connection.Statistics.BytesReceived == 10_000);
        peer.Send(new byte[10_000]);
        for (int i = 0; i < 5; i++)
        {
            Reactor.RunOnce(TimeSpan.FromMilliseconds(1));
        }

        Assert.That(handler.Connection.Statistics.BytesReceived, Is.EqualTo(10_000), "reading pauses");
        Assert.That(handler.IsClosed, Is.False);
    }

    // The limit counts when the peer sends on.
    private void ExceedHundredBytes(ScriptedHandler handler, Peer peer)
    {
        peer.Send(new byte[101]);
        RunUntil(() => handler.Events.Contains("OnReadable"), "the first bytes");
        peer.Send("!"u8);
        RunUntil(() => handler.IsClosed, "one byte more");
    }

    private static TestCaseData Refusal(string option, object value, string allowed) => new(option, value, allowed);

    private static (object Options, PropertyInfo Property) Make(string option)
    {
        string[] parts = option.Split('.');
        Type type = All.Single(type => type.Name == parts[0]);
        return (Activator.CreateInstance(type)!, type.GetProperty(parts[1])!);
    }

    private static void Fill(object options, int round)
    {
        foreach (PropertyInfo property in options.GetType().GetProperties())
        {
            Type type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (IsNested(type))
            {
                property.SetValue(options, property.GetValue(options) ?? Activator.CreateInstance(type));

                // In place, which a copy that shares it would follow.
                Fill(property.GetValue(options)!, round);
                continue;
            }

            property.SetValue(options, type switch
            {
                _ when type == typeof(int) => 100 + round,
                _ when property.Name == nameof(ConnectOptions.ResolutionDelay) => TimeSpan.FromSeconds(round),
                _ when type == typeof(TimeSpan) => TimeSpan.FromSeconds(100 + round),
                _ when type == typeof(bool) => round == 1,
                _ when type == typeof(WhenFull) => round == 1 ? WhenFull.Refuse : WhenFull.Pause,
                _ when type == typeof(UntrustedClients) => (UntrustedClients)(round - 1),
                _ when type == typeof(ProxyProtocolVersion) => (ProxyProtocolVersion)round,
                _ when type == typeof(IReadOnlyList<IPNetwork>) => new[] { new IPNetwork(IPAddress.Any, round - 1) },
                _ when type == typeof(ProxyHeader) => new ProxyHeader(null, null),
                _ when type == typeof(ClientSharing) => (ClientSharing)round,
                _ when type == typeof(Action<int>) => new Action<int>(
                    index => throw new InvalidDataException($"{round}")),
                _ when type == typeof(Action<SslServerAuthenticationOptions>) =>
                    new Action<SslServerAuthenticationOptions>(given => GC.KeepAlive((given, round))),
                _ when type == typeof(Action<SslClientAuthenticationOptions>) =>
                    new Action<SslClientAuthenticationOptions>(given => GC.KeepAlive((given, round))),
                _ when type == typeof(CertificateSource) => CertificateSource.FromCertificate(Certificates.Server),
                _ when type == typeof(EndPoint) => new IPEndPoint(IPAddress.Loopback, round),
                _ when type == typeof(Func<ISelector>) => new Func<ISelector>(
                    () => throw new InvalidDataException($"{round}")),
                _ when type == typeof(TimeProvider) => new Microsoft.Extensions.Time.Testing.FakeTimeProvider(),
                _ => ((Mock)Activator.CreateInstance(typeof(Mock<>).MakeGenericType(type))!).Object,
            });
        }
    }

    private static bool IsNested(Type type) =>
        type == typeof(ConnectionOptions)
        || type == typeof(ProxyProtocolOptions)
        || type == typeof(ReactorOptions)
        || type == typeof(TlsServerOptions)
        || type == typeof(TlsClientOptions);

    private static Dictionary<string, object?> Values(object options)
    {
        Dictionary<string, object?> values = [];
        foreach (PropertyInfo property in options.GetType().GetProperties())
        {
            object? value = property.GetValue(options);
            if (IsNested(property.PropertyType))
            {
                foreach ((string name, object? inner) in Values(value!))
                {
                    values.Add($"{property.Name}.{name}", inner);
                }
            }
            else
            {
                values.Add(property.Name, value);
            }
        }

        return values;
    }
}
