using System.Reflection;

namespace SelectReactor.Tests.Tls;

/// <summary>Looks for buffers behind a TLS connection: in the library and in the framework's stream.</summary>
internal static class TlsMemory
{
    private const BindingFlags Fields = BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public;

    /// <summary>The arrays of bytes that hang on the connection's handle.</summary>
    public static List<string> HeldBy(Connection connection)
    {
        object handle = Value(connection, "_handle")!;
        object engine = Value(handle, "_engine")!;
        object ssl = Value(engine, "_ssl")!;
        return
        [
            .. Arrays("input", Value(handle, "_input")!),
            .. Arrays("output", Value(handle, "_output")!),
            .. Arrays("SslStream", Value(ssl, "_buffer")!),
        ];
    }

    private static object? Value(object owner, string field) =>
        owner.GetType().GetField(field, Fields)!.GetValue(owner);

    private static IEnumerable<string> Arrays(string name, object owner) => owner.GetType().GetFields(Fields)
        .Select(field => field.GetValue(owner) is object value && value is not byte[] && !value.GetType().IsPrimitive
            ? Value(value, "_bytes") ?? value
            : field.GetValue(owner))
        .OfType<byte[]>()
        .Where(static array => array.Length > 0)
        .Select(array => $"{name}: {array.Length} bytes");
}
