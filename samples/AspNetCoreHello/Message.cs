using System.Text.Json.Serialization;

namespace AspNetCoreHello;

/// <summary>What <c>/json</c> answers.</summary>
internal sealed record Message(string Text);

/// <summary>Writes messages without reflection.</summary>
[JsonSerializable(typeof(Message))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class MessageContext : JsonSerializerContext;
