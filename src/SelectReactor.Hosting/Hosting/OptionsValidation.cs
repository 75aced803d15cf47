using Microsoft.Extensions.Options;

namespace SelectReactor.Hosting;

/// <summary>Checks the options when the host starts.</summary>
internal sealed class OptionsValidation
    : IValidateOptions<SelectReactorOptions>, IValidateOptions<ServerOptions>, IValidateOptions<ClientOptions>
{
    public ValidateOptionsResult Validate(string? name, SelectReactorOptions options) =>
        options.ReactorCount < 1
            ? Fail($"{nameof(SelectReactorOptions)}.{nameof(options.ReactorCount)} must be at least 1, "
                + $"not {options.ReactorCount}.")
            : options.DrainTimeout < TimeSpan.Zero && options.DrainTimeout != Timeout.InfiniteTimeSpan
            ? Fail($"{nameof(SelectReactorOptions)}.{nameof(options.DrainTimeout)} must be zero or more, or "
                + $"-00:00:00.0010000 for no limit, not {options.DrainTimeout}.")
            : options.MaxLoopLag <= TimeSpan.Zero
            ? Fail($"{nameof(SelectReactorOptions)}.{nameof(options.MaxLoopLag)} must be above zero, "
                + $"not {options.MaxLoopLag}.")
            : ValidateOptionsResult.Success;

    public ValidateOptionsResult Validate(string? name, ServerOptions options) =>
        options.ListenOn is not null ? ValidateOptionsResult.Success
            : options.EndPoint is null
            ? Fail($"The server \"{name}\" has no end point: set {nameof(ServerOptions)}.{nameof(options.EndPoint)}, "
                + "for example to \"127.0.0.1:7007\".")
            : EndPointParser.TryParse(options.EndPoint, isServer: true) is null
            ? Fail($"The server \"{name}\" can't listen on \"{options.EndPoint}\": write an address and a port, "
                + "such as \"127.0.0.1:7007\", \"[::1]:7007\" or \"*:7007\", or \"unix:\" and a path.")
            : ValidateOptionsResult.Success;

    public ValidateOptionsResult Validate(string? name, ClientOptions options) =>
        options.ConnectTo is not null ? ValidateOptionsResult.Success
            : options.EndPoint is null
            ? Fail($"The client \"{name}\" has no end point: set {nameof(ClientOptions)}.{nameof(options.EndPoint)}, "
                + "for example to \"example.com:7007\".")
            : EndPointParser.TryParse(options.EndPoint, isServer: false) is null
            ? Fail($"The client \"{name}\" can't connect to \"{options.EndPoint}\": write a host or an address, and a "
                + "port, such as \"example.com:7007\" or \"[::1]:7007\", or \"unix:\" and a path.")
            : ValidateOptionsResult.Success;

    private static ValidateOptionsResult Fail(string message) => ValidateOptionsResult.Fail(message);
}
