namespace AspNetCoreHello;

/// <summary>The command line.</summary>
internal sealed record HelloOptions
{
    public const string Usage = """
        An ASP.NET Core application on SelectReactor's transport, or on Kestrel's own for comparison.

        AspNetCoreHello [--port N] [--transport selectreactor|sockets] [--scheduling threadpool|inline] [--https]

          --port N            the port (5000); 0 for any
          --transport NAME    who receives and sends (selectreactor)
          --scheduling NAME   where the application runs (threadpool)
          --reactors N        the number of reactors (one for each processor)
          --https             TLS with a certificate made at the start
        """;

    public int Port { get; init; } = 5000;

    public bool UsesSockets { get; init; }

    public bool IsInline { get; init; }

    public int? Reactors { get; init; }

    public bool IsHttps { get; init; }

    /// <exception cref="FormatException">An argument is not understood.</exception>
    public static HelloOptions Parse(ReadOnlySpan<string> arguments)
    {
        var options = new HelloOptions();
        while (arguments is [string name, .. var rest])
        {
            arguments = rest;
            if (name == "--https")
            {
                options = options with { IsHttps = true };
                continue;
            }

            if (rest is not [string value, ..])
            {
                throw new FormatException($"{name} is not known, or has no value.");
            }

            arguments = rest[1..];
            options = (name, value) switch
            {
                ("--port", _) when ushort.TryParse(value, out ushort port) => options with { Port = port },
                ("--transport", "selectreactor" or "sockets") => options with { UsesSockets = value == "sockets" },
                ("--scheduling", "threadpool" or "inline") => options with { IsInline = value == "inline" },
                ("--reactors", _) when int.TryParse(value, out int count) && count > 0 =>
                    options with { Reactors = count },
                _ => throw new FormatException($"{name} {value} is not known."),
            };
        }

        return options;
    }
}
