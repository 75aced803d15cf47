namespace ApplicationNamespace;

using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using SelectReactor;

public static class MessageServer
{
    /// <summary>The name of the server in appsettings.json, and in the log.</summary>
    public const string Name = "main";

    /// <summary>Adds the server and what its handlers need.</summary>
    public static void AddMessageServer(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<MessageCounter>();
        builder.Services
            .AddSelectReactor(builder.Configuration.GetSection("SelectReactor"))
            .AddServer<ServerHandler>(Name)
            .AddHealthChecks();
    }
}
