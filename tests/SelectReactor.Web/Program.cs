using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using SelectReactor.Web;

// The test host loads this assembly as a library. Run as a program, it is a server whose listening socket systemd has
// opened, or a test in its place.
WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.UseTransport(Enum.Parse<Transport>(args[0])).ConfigureKestrel(options => options.UseSystemd());
WebApplication app = builder.Build();
app.MapGet("/hello", () => "hello");
app.MapGet("/slow", async (HttpContext context) =>
{
    await context.Response.WriteAsync("started ");
    await context.Response.Body.FlushAsync();
    var stopping = new TaskCompletionSource();
    await using (app.Lifetime.ApplicationStopping.Register(stopping.SetResult))
    {
        await stopping.Task;
    }

    await context.Response.WriteAsync("finished");
});
app.Run();
