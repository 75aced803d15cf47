namespace SelectReactor.LoadTest;

/// <summary>One measurement can't be had; the message is one clear line for the user.</summary>
internal sealed class LoadTestException(string message) : Exception(message);

/// <summary>The whole run ends here, a server that does not start for example: what followed would not be worth the
/// time.</summary>
internal sealed class FatalException(string message) : Exception(message);
