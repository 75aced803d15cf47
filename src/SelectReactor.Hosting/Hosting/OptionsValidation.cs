using System.Net;
using Microsoft.Extensions.Options;

namespace SelectReactor.Hosting;

/// <summary>Checks the options when the host starts.</summary>
internal sealed class OptionsValidation
    : IValidateOptions<SelectReactorOptions>,
        IValidateOptions<ServerOptions>,
        IValidateOptions<ClientOptions>,
        IValidateOptions<ReconnectingClientOptions>,
        IValidateOptions<PoolOptions>
{
    // A task can't wait longer than 49 days.
    private static readonly TimeSpan _maxLag = TimeSpan.FromDays(1);

    public ValidateOptionsResult Validate(string? name, SelectReactorOptions options) =>
        options.ReactorCount < 1
            ? Fail($"{nameof(SelectReactorOptions)}.{nameof(options.ReactorCount)} must be at least 1, "
                + $"not {options.ReactorCount}.")
            : options.DrainTimeout < TimeSpan.Zero && options.DrainTimeout != Timeout.InfiniteTimeSpan
            ? Fail($"{nameof(SelectReactorOptions)}.{nameof(options.DrainTimeout)} must be zero or more, or "
                + $"-00:00:00.0010000 for no limit, not {options.DrainTimeout}.")
            : options.MaxLoopLag <= TimeSpan.Zero || options.MaxLoopLag > _maxLag
            ? Fail($"{nameof(SelectReactorOptions)}.{nameof(options.MaxLoopLag)} must be above zero and at most "
                + $"{_maxLag}, not {options.MaxLoopLag}.")
            : options.Group.Reactor.MaxConnections != int.MaxValue
            ? Fail($"{nameof(SelectReactorOptions)}.Group.Reactor.MaxConnections must not be set, but is "
                + $"{options.Group.Reactor.MaxConnections}: reactors have one limit, "
                + $"{nameof(SelectReactorOptions)}.Group.MaxConnections.")
            : !options.Group.StartThreads
            ? Fail($"{nameof(SelectReactorOptions)}.Group.StartThreads must not be false: in a host each reactor "
                + "has a thread of its own.")
            : ValidateOptionsResult.Success;

    public ValidateOptionsResult Validate(string? name, ServerOptions options) =>
        options.Certificate is { Path: null or "" }
            ? Fail($"The server \"{name}\" has a certificate without a file: set "
                + $"{nameof(ServerOptions)}.{nameof(options.Certificate)}.{nameof(CertificateFileOptions.Path)}.")
            : options.Certificate is { KeyPath: "" }
            ? Fail($"The server \"{name}\" has an empty name for the file of its key: "
                + $"set {nameof(ServerOptions)}.{nameof(options.Certificate)}."
                + $"{nameof(CertificateFileOptions.KeyPath)}, or leave it out if the key is in the "
                + "file of the certificate.")
            : options.TrustedProxies.FirstOrDefault(
                static text => ServerSecurity.TryParseNetwork(text) is null) is { } proxy
            ? Fail($"The server \"{name}\" can't trust \"{proxy}\": write a network or an address in "
                + $"{nameof(ServerOptions)}.{nameof(options.TrustedProxies)}, such as \"10.1.0.0/16\" or \"::1\".")
            : options.ListenOn is not null ? ValidateOptionsResult.Success
            : options.EndPoint is null
            ? Fail($"The server \"{name}\" has no end point: set {nameof(ServerOptions)}.{nameof(options.EndPoint)}, "
                + "for example to \"127.0.0.1:7007\".")
            : EndPointParser.TryParse(options.EndPoint, isServer: true) is null
            ? Fail($"The server \"{name}\" can't listen on \"{options.EndPoint}\": write an address and a port, "
                + "such as \"127.0.0.1:7007\", \"[::1]:7007\" or \"*:7007\", or \"unix:\" and a path of at most "
                + "some 100 bytes.")
            : ValidateOptionsResult.Success;

    public ValidateOptionsResult Validate(string? name, ClientOptions options) =>
        ValidateClient($"The client \"{name}\"", nameof(ClientOptions), options.ConnectTo, options.EndPoint);

    public ValidateOptionsResult Validate(string? name, ReconnectingClientOptions options) => ValidateClient(
        $"The client \"{name}\"", nameof(ReconnectingClientOptions), options.ConnectTo, options.EndPoint);

    public ValidateOptionsResult Validate(string? name, PoolOptions options) =>
        ValidateClient($"The pool \"{name}\"", nameof(PoolOptions), options.ConnectTo, options.EndPoint);

    private static ValidateOptionsResult ValidateClient(string client, string type, EndPoint? inCode, string? text) =>
        inCode is not null ? ValidateOptionsResult.Success
            : text is null
            ? Fail($"{client} has no end point: set {type}.EndPoint, for example to \"example.com:7007\".")
            : EndPointParser.TryParse(text, isServer: false) is null
            ? Fail($"{client} can't connect to \"{text}\": write a host or an address, and a "
                + "port, such as \"example.com:7007\" or \"[::1]:7007\", or \"unix:\" and a path of at most some 100 "
                + "bytes.")
            : ValidateOptionsResult.Success;

    private static ValidateOptionsResult Fail(string message) => ValidateOptionsResult.Fail(message);
}
