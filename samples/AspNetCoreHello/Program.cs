using System.Net;
using AspNetCoreHello;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using SelectReactor;

if (args is ["--help"] or ["-h"])
{
    Console.WriteLine(HelloOptions.Usage);
    return 0;
}

HelloOptions options;
try
{
    options = HelloOptions.Parse(args);
}
catch (FormatException exception)
{
    Console.Error.WriteLine($"{exception.Message} --help lists the options.");
    return 2;
}

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.ConfigureHttpJsonOptions(static json =>
    json.SerializerOptions.TypeInfoResolverChain.Insert(0, MessageContext.Default));
if (!options.UsesSockets)
{
    // All that an application has to do.
    builder.WebHost.UseSelectReactor(transport =>
    {
        transport.Scheduling = options.IsInline ? TransportScheduling.Inline : TransportScheduling.ThreadPool;
        transport.ReactorCount = options.Reactors;
    });
}

builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, options.Port, listen =>
{
    if (options.IsHttps)
    {
        listen.UseHttps(SelfSigned.Create());
    }
}));

WebApplication application = builder.Build();
Endpoints.Map(application);
try
{
    await application.StartAsync();
}
catch (IOException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

IServerAddressesFeature addresses = application.Services.GetRequiredService<IServer>()
    .Features.GetRequiredFeature<IServerAddressesFeature>();
Console.WriteLine(
    $"Listening on {addresses.Addresses.First()} by {(options.UsesSockets ? "sockets" : "SelectReactor")}.");
await application.WaitForShutdownAsync();
return 0;
