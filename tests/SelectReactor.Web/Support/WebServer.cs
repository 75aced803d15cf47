using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Web;

/// <summary>The site on a transport, with an end point for each kind of connection.</summary>
internal sealed class WebServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly string _folder = Directory.CreateTempSubdirectory("reactor-web-").FullName;
    private readonly LogCollector _log = new();

    private WebServer(Transport transport, Action<KestrelServerOptions>? configure, TimeSpan? shutdownTimeout)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(_log);
        builder.WebHost.UseTransport(transport).UseKestrelHttpsConfiguration().ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = null;
            // haproxy says "https" to a server that speaks HTTP/2 without TLS.
            options.AllowAlternateSchemes = true;
            configure?.Invoke(options);
            Listen(options, listen => listen.Protocols = HttpProtocols.Http1);
            Listen(options, listen => listen.Protocols = HttpProtocols.Http2);
            Listen(options, listen => listen.UseHttps(Certificate.Value));
            options.ListenUnixSocket(UnixPath, listen => listen.Use(Connections.Middleware));
        });
        if (shutdownTimeout is { } timeout)
        {
            builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = timeout);
        }

        Site.AddServices(builder.Services);
        _app = builder.Build();
        Site.Map(_app);
        File.WriteAllText(CertificatePath, Certificate.Value.ExportCertificatePem());
    }

    public static Certificate Certificate { get; } = new();

    /// <summary>For HTTP/1.1.</summary>
    public Uri Http { get; private set; } = null!;

    /// <summary>For HTTP/2 without TLS, which the client has to know.</summary>
    public Uri Http2 { get; private set; } = null!;

    /// <summary>For HTTP/1.1 and HTTP/2, whichever TLS agrees on.</summary>
    public Uri Https { get; private set; } = null!;

    public string UnixPath => Path.Combine(_folder, "site.sock");

    public string CertificatePath => Path.Combine(_folder, "certificate.pem");

    public OpenConnections Connections { get; } = new();

    public Pending Pending => _app.Services.GetRequiredService<Pending>();

    /// <summary>Warnings and errors since the last call.</summary>
    public IReadOnlyList<string> TakeLog() => _log.Take();

    public static async Task<WebServer> StartAsync(
        Transport transport, Action<KestrelServerOptions>? configure = null, TimeSpan? shutdownTimeout = null)
    {
        var server = new WebServer(transport, configure, shutdownTimeout);
        await server._app.StartAsync();
        string[] addresses = [.. server._app.Services.GetRequiredService<IServer>().Features
            .Get<IServerAddressesFeature>()!.Addresses];
        server.Http = new Uri(addresses[0]);
        server.Http2 = new Uri(addresses[1]);
        server.Https = new Uri(addresses[2]);
        return server;
    }

    /// <summary>Stops as the host does when it is asked to.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private void Listen(KestrelServerOptions options, Action<ListenOptions> configure) =>
        options.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Use(Connections.Middleware);
            configure(listen);
        });
}
