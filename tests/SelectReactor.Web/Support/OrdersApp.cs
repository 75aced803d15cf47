using System.IO.Compression;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;

namespace SelectReactor.Web;

/// <summary>An application as people have it, which knows nothing of its transport.</summary>
internal static class OrdersApp
{
    public static WebApplication Build(string webRoot, Action<IWebHostBuilder> moveToTransport)
    {
        WebApplicationBuilder builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { WebRootPath = webRoot });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        moveToTransport(builder.WebHost);

        builder.Services.AddSingleton<OrderBook>();
        builder.Services.AddScoped<Visit>();
        builder.Services.AddProblemDetails();
        builder.Services.AddValidation();
        builder.Services.AddOutputCache();
        builder.Services.AddRequestDecompression();
        builder.Services.AddResponseCompression(options => options.EnableForHttps = true);
        builder.Services.Configure<GzipCompressionProviderOptions>(
            options => options.Level = CompressionLevel.Fastest);
        builder.Services.AddRateLimiter(options =>
        {
            options.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            options.AddFixedWindowLimiter("few", limit =>
            {
                limit.PermitLimit = 2;
                limit.Window = TimeSpan.FromHours(1);
            });
        });
        builder.Services.AddHealthChecks()
            .AddCheck("orders", () => HealthCheckResult.Healthy("open"))
            .AddCheck("stock", () => HealthCheckResult.Unhealthy("empty"), tags: ["stock"]);
        builder.Services.Configure<ForwardedHeadersOptions>(options =>
            options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto);

        WebApplication app = builder.Build();
        app.UseForwardedHeaders();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseRequestDecompression();
        app.UseResponseCompression();
        app.UseDefaultFiles();
        app.UseStaticFiles();
        app.UseRouting();
        app.UseRateLimiter();
        app.UseOutputCache();
        Map(app);
        return app;
    }

    private static void Map(WebApplication app)
    {
        RouteGroupBuilder orders = app.MapGroup("/orders");
        orders.MapGet("/", (OrderBook book) => book.All);
        orders.MapGet("/{id:int}", (int id, OrderBook book) =>
            book.Find(id) is { } order ? Results.Ok(order) : Results.NotFound());
        orders.MapPost("/", (Order order, OrderBook book) =>
        {
            book.Add(order);
            return Results.Created($"/orders/{order.Id}", order);
        });
        app.MapPost("/form", ([FromForm] string name, IFormFile file) => $"{name} {file.Length}").DisableAntiforgery();
        app.MapGet("/visit", (Visit visit, Visit same) => visit == same ? "one a request" : "two a request");
        app.MapGet("/fault", string () => throw new InvalidOperationException("a fault"));
        app.MapGet("/long", () => string.Join(' ', Enumerable.Range(0, 10_000)));
        app.MapGet("/cached", (OrderBook book) => $"{book.NextNumber()}").CacheOutput();
        app.MapGet("/few", () => "served").RequireRateLimiting("few");
        app.MapGet("/scheme", (HttpContext context) =>
            $"{context.Request.Scheme} {context.Connection.RemoteIpAddress}");
        app.MapHealthChecks("/health", new() { Predicate = check => !check.Tags.Contains("stock") });
        app.MapHealthChecks("/health/all");
    }

    public sealed record Order(int Id, string Item);

    private sealed class Visit;

    private sealed class OrderBook
    {
        private readonly List<Order> _orders = [new(1, "pear"), new(2, "apple")];
        private int _number;

        public IReadOnlyList<Order> All => _orders;

        public int NextNumber() => ++_number;

        public Order? Find(int id) => _orders.Find(order => order.Id == id);

        public void Add(Order order) => _orders.Add(order);
    }
}
