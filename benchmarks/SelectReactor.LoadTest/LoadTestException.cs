namespace SelectReactor.LoadTest;

/// <summary>A measurement can't be had; the message is one clear line for the user.</summary>
internal sealed class LoadTestException(string message) : Exception(message);

/// <summary>A server does not even start: nothing that is measured after that is worth the time.</summary>
internal sealed class ServerStartException(string message) : Exception(message);
