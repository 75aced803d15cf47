namespace SelectReactor.Hosting;

/// <summary>A place in the configuration that sets nothing.</summary>
/// <param name="Path">Where it stands.</param>
/// <param name="Fault">What is wrong with it: the end of a sentence.</param>
/// <param name="IsError">Whether it is a mistake, and not there for code of the program.</param>
internal readonly record struct UnknownName(string Path, string Fault, bool IsError)
{
    public override string ToString() => $"The configuration at \"{Path}\" {Fault}";

    /// <summary>Refuses the mistakes.</summary>
    /// <exception cref="InvalidOperationException">There is one. The message has all.</exception>
    public static void Verify(IEnumerable<UnknownName> unknown)
    {
        string message = string.Join(' ', unknown.Where(static name => name.IsError));
        if (message.Length > 0)
        {
            throw new InvalidOperationException(message);
        }
    }
}
