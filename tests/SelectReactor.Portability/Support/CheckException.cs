namespace SelectReactor.Portability;

/// <summary>A case found something other than it expected.</summary>
internal sealed class CheckException(string message) : Exception(message);
