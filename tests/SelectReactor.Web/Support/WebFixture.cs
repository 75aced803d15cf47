using System.Diagnostics;
using System.Net;
using System.Security.Authentication;

namespace SelectReactor.Web;

/// <summary>The site on one transport for all tests of a class. After each test the server has to be as before:
/// no connection is open, and nothing was logged that a user would look into.</summary>
[TestFixtureSource(typeof(Transports), nameof(Transports.All))]
public abstract class WebFixture(Transport transport)
{
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(30);
    private CancellationTokenSource _end = null!;

    protected Transport Transport => transport;

    internal WebServer Server { get; private set; } = null!;

    /// <summary>Ends every wait of a test that hangs.</summary>
    protected CancellationToken Bound => _end.Token;

    [OneTimeSetUp]
    public async Task StartServerAsync() => Server = await WebServer.StartAsync(transport);

    [OneTimeTearDown]
    public async Task StopServerAsync()
    {
        if (Server is not null)
        {
            await Server.StopAsync().WaitAsync(_bound);
            await Server.DisposeAsync().AsTask().WaitAsync(_bound);
        }
    }

    [SetUp]
    public void StartBound() => _end = new CancellationTokenSource(_bound);

    [TearDown]
    public async Task LeavesNothingBehindAsync()
    {
        try
        {
            await AwaitAsync(() => Server.Connections.Count == 0, $"connections close");
            Assert.That(Server.TakeLog(), Is.Empty);
        }
        finally
        {
            _end.Dispose();
        }
    }

    /// <summary>Waits until something has come true.</summary>
    protected static async Task AwaitAsync(Func<bool> condition, string what)
    {
        for (var watch = Stopwatch.StartNew(); !condition();)
        {
            Assert.That(watch.Elapsed, Is.LessThan(_bound), what);
            await Task.Delay(5);
        }
    }

    /// <summary>A client that trusts the site's certificate.</summary>
    internal HttpClient CreateClient(Uri server, Version? version = null) =>
        new(CreateHandler())
        {
            BaseAddress = server,
            DefaultRequestVersion = version
                ?? (server == Server.Http2 ? HttpVersion.Version20 : HttpVersion.Version11),
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = _bound,
        };

    internal static SocketsHttpHandler CreateHandler() => new()
    {
        SslOptions = new()
        {
            RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                WebServer.Certificate.IsTrusted(certificate),
        },
    };
}
