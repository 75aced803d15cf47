using System.Buffers;
using System.IO.Pipelines;
using System.Net;
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
    public static void Run(int port, Action<EndPoint> listening)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSockets(sockets => sockets.Backlog = EchoServers.Backlog);
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, port, endPoint => endPoint.UseConnectionHandler<EchoHandler>()));

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
