using ApplicationNamespace;
using Microsoft.Extensions.Hosting;

// dotnet run --project Application.1. Options are in appsettings.json; the command line changes them:
// dotnet run --project Application.1 -- --SelectReactor:Servers:main:EndPoint=127.0.0.1:7008
HostApplicationBuilder builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings
{
    Args = args,
    ContentRootPath = AppContext.BaseDirectory,
});
builder.AddMessageServer();
builder.Build().Run();
