namespace SelectReactor.Tls;

/// <summary>What an exception of the TLS engine says, in one line.</summary>
internal static class TlsError
{
    /// <summary>The messages of the exception and its causes. An outer one that only says "see inner
    /// exception" is left out.</summary>
    public static string Describe(Exception exception)
    {
        List<string> messages = [];
        for (Exception? cause = exception; cause is not null; cause = cause.InnerException)
        {
            string message = cause.Message.ReplaceLineEndings(" ").Trim();
            bool isPointer = cause.InnerException is not null
                && message.EndsWith("see inner exception.", StringComparison.Ordinal);
            if (!isPointer && !messages.Exists(known => known.Contains(message, StringComparison.Ordinal)))
            {
                messages.Add(message);
            }
        }

        return string.Join(" ", messages);
    }
}
