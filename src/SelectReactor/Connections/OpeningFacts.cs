namespace SelectReactor.Connections;

/// <summary>What the steps before a connection have to tell while it is open.</summary>
internal sealed class OpeningFacts
{
    private readonly List<(Type Type, object Feature)> _features = [];

    /// <summary>The bytes that the steps have sent with the handle of the connection. They are not part of its
    /// output.</summary>
    public long BytesSent { get; set; }

    /// <summary>Makes an object available by <see cref="Connection.GetFeature{T}"/>, by exactly this type.</summary>
    public void AddFeature<T>(T feature)
        where T : class => _features.Add((typeof(T), feature));

    public T? GetFeature<T>()
        where T : class => _features.Find(static pair => pair.Type == typeof(T)).Feature as T;
}
