using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>How a <see cref="WebServer"/> is made.</summary>
internal sealed record WebServerSettings(TransportKind Transport)
{
    public RequestDelegate Serve { get; init; } = static context => context.Response.WriteAsync("Hello");

    public Action<WebApplication> Middleware { get; init; } = static _ => { };

    public Action<KestrelServerOptions> Kestrel { get; init; } = static _ => { };

    public Action<ListenOptions> Listen { get; init; } = static _ => { };

    public Action<IServiceCollection> Services { get; init; } = static _ => { };

    public Action<SelectReactorTransportOptions> SelectReactor { get; init; } = static _ => { };

    public Action<SocketTransportOptions> Sockets { get; init; } = static _ => { };

    /// <summary>Whether to listen on a free port of the loopback address.</summary>
    public bool ListensOnLoopback { get; init; } = true;

    /// <summary>Whether nothing is logged.</summary>
    public bool IsQuiet { get; init; }

    public TimeSpan ShutdownTimeout { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>Kestrel on one of the transports, on a free port of the loopback address.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private static readonly Lazy<X509Certificate2> _certificate = new(CreateCertificate);

    private WebServer(WebApplication application, EventLog log)
    {
        Application = application;
        Log = log;
    }

    public static X509Certificate2 Certificate => _certificate.Value;

    public WebApplication Application { get; }

    public EventLog Log { get; }

    public IServiceProvider Services => Application.Services;

    public string Address => Application.Services.GetRequiredService<IServer>().Features
        .GetRequiredFeature<IServerAddressesFeature>().Addresses.First();

    public IPEndPoint EndPoint => new(IPAddress.Loopback, new Uri(Address).Port);

    public static async Task<WebServer> StartAsync(WebServerSettings settings)
    {
        WebServer server = Create(settings);
        await server.Application.StartAsync();
        return server;
    }

    public static WebServer Create(WebServerSettings settings)
    {
        var log = new EventLog();
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.SetMinimumLevel(settings.IsQuiet ? LogLevel.None : LogLevel.Trace).AddProvider(log);
        UseTransport(builder.WebHost, settings);
        builder.WebHost.UseKestrel(options =>
        {
            settings.Kestrel(options);
            if (settings.ListensOnLoopback)
            {
                options.Listen(IPAddress.Loopback, 0, settings.Listen);
            }
        });
        builder.WebHost.UseShutdownTimeout(settings.ShutdownTimeout);
        settings.Services(builder.Services);
        WebApplication application = builder.Build();
        settings.Middleware(application);
        application.Run(settings.Serve);
        return new WebServer(application, log);
    }

    public static void UseTransport(IWebHostBuilder builder, WebServerSettings settings)
    {
        if (settings.Transport == TransportKind.Sockets)
        {
            builder.UseSockets(settings.Sockets);
            return;
        }

        builder.UseSelectReactor(options =>
        {
            options.ReactorCount = 2;
            options.Scheduling = settings.Transport == TransportKind.Inline
                ? TransportScheduling.Inline
                : TransportScheduling.ThreadPool;
            settings.SelectReactor(options);
        });
    }

    public static bool IsOurCertificate(
        object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) =>
        certificate?.GetCertHashString() == Certificate.GetCertHashString();

    public HttpClient CreateClient(Version? version = null) =>
        new(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = IsOurCertificate },
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
        })
        {
            BaseAddress = new Uri(Address),
            DefaultRequestVersion = version ?? HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Timeout = TimeSpan.FromSeconds(30),
        };

    public Task<RawClient> ConnectAsync() => RawClient.ConnectAsync(EndPoint);

    public async ValueTask DisposeAsync() => await Application.DisposeAsync();

    private static X509Certificate2 CreateCertificate()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 certificate =
            request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }
}
