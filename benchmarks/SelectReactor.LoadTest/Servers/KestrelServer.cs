using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace SelectReactor.LoadTest.Servers;

/// <summary>Kestrel's transport and connection pipeline, with no HTTP on top.</summary>
internal static class KestrelServer
{
    public static void Run(int port, Action<EndPoint> listening) => Run(port, listening, certificate: null);

    public static void RunTls(int port, Action<EndPoint> listening) =>
        Run(port, listening, TlsCertificate.Create());

    private static void Run(int port, Action<EndPoint> listening, X509Certificate2? certificate)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSockets(sockets => sockets.Backlog = EchoServers.Backlog);
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, port, endPoint =>
            {
                if (certificate is not null)
                {
                    endPoint.UseHttps(certificate);
                }

                endPoint.UseConnectionHandler<EchoHandler>();
            }));

        WebApplication application = builder.Build();
        application.Start();
        string address = application.Services.GetRequiredService<IServer>().Features
            .Get<IServerAddressesFeature>()!.Addresses.First();
        listening(new IPEndPoint(IPAddress.Loopback, new Uri(address).Port));
        application.WaitForShutdown();
    }

    private sealed class EchoHandler : Microsoft.AspNetCore.Connections.ConnectionHandler
    {
        public override async Task OnConnectedAsync(ConnectionContext connection)
        {
            PipeReader input = connection.Transport.Input;
            PipeWriter output = connection.Transport.Output;
            ReadResult result;
            do
            {
                result = await input.ReadAsync();
                foreach (ReadOnlyMemory<byte> segment in result.Buffer)
                {
                    output.Write(segment.Span);
                }

                input.AdvanceTo(result.Buffer.End);
                await output.FlushAsync();
            }
            while (!result.IsCompleted);
        }
    }
}
