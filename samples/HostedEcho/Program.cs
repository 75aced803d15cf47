using HostedEcho;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using SelectReactor;

// An echo server in a host. Its options are in appsettings.json; the command line may change them, for example:
// dotnet run -- --SelectReactor:Servers:echo:EndPoint=127.0.0.1:7008
HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings
{
    Args = args,
    ContentRootPath = AppContext.BaseDirectory,
});
builder.Services.AddSingleton<EchoCounter>();
builder.Services.AddSelectReactor(builder.Configuration.GetSection("SelectReactor")).AddServer<EchoHandler>("echo");
builder.Build().Run();
