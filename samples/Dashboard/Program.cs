using System.Net;
using Dashboard;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SelectReactor;

// A TCP echo server, and a page that shows it live, which comes over reactors of its own. The page has no password:
// keep it on this machine.
//   --urls http://127.0.0.1:5080   the page
//   --echo 127.0.0.1:7007          the echo server
//   --load 20                      so many clients that keep the server busy
WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
var echo = IPEndPoint.Parse(builder.Configuration["echo"] ?? "127.0.0.1:7007");
builder.WebHost.UseSelectReactor().UseUrls(builder.Configuration["urls"] ?? "http://127.0.0.1:5080");
builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);

// A foreign site must not reach the page by a name of its own (DNS rebinding).
builder.Configuration["AllowedHosts"] ??= "localhost;127.0.0.1;[::1]";
builder.Services.AddSelectReactor().AddServer<EchoHandler>(EchoHandler.Server, echo);
builder.Services.AddSingleton(TimeProvider.System);
builder.Services.AddSingleton<Readings>().AddSingleton<Watcher>();
builder.Services.AddHostedService(static services => services.GetRequiredService<Watcher>());
builder.Services.AddHostedService(services => new LoadClients(
    services.GetRequiredService<HostedReactor>(), builder.Configuration.GetValue("load", 0)));

WebApplication app = builder.Build();
string page = Path.Combine(AppContext.BaseDirectory, "wwwroot", "index.html");
app.Use((context, next) =>
{
    string? origin = context.Request.Headers.Origin;
    if (origin is null || origin == $"{context.Request.Scheme}://{context.Request.Host}")
    {
        return next(context);
    }

    context.Response.StatusCode = StatusCodes.Status403Forbidden;
    return Task.CompletedTask;
});
app.MapGet("/", () => Results.File(page, "text/html; charset=utf-8"));
app.MapGet("/events", (Watcher watcher, CancellationToken gone) =>
    TypedResults.ServerSentEvents(watcher.WatchAsync(gone)));
app.MapDelete("/connections/{reactor:int}/{id:long}", async (Watcher watcher, int reactor, long id) =>
    await watcher.CloseAsync(reactor, id) ? Results.NoContent() : Results.NotFound());
app.Run();
