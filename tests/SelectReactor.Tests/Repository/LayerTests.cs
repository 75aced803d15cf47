using System.Runtime.CompilerServices;

namespace SelectReactor.Tests.Repository;

/// <summary>No folder of the core uses one of a higher layer, and no folders use each other in a circle.</summary>
public sealed class LayerTests
{
    private static readonly (string From, string To)[] _uses =
    [
        .. References.Within(typeof(Reactor).Assembly)
            .Select(static pair => (From: NameOf(pair.From), To: NameOf(pair.To)))
            .Where(static pair => Layers.FoldersOfTypes.ContainsKey(pair.From))
            .Where(static pair => Layers.FoldersOfTypes.ContainsKey(pair.To)),
    ];

    [Test]
    public void EveryFolder_HasALayer() =>
        Assert.That(Layers.FoldersOfTypes.Values.Distinct(), Is.EquivalentTo(Layers.OfFolders.Keys));

    // The rules below would silently leave out a type without a folder.
    [Test]
    public void EveryType_HasAFolder() =>
        Assert.That(
            typeof(Reactor).Assembly.GetTypes()
                .Where(static type => !type.IsNested)
                .Where(static type => !type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false))
                .Where(static type => type.Namespace?.Split('.')[0] == nameof(SelectReactor))
                .Select(NameOf)
                .Where(static name => !Layers.FoldersOfTypes.ContainsKey(name)),
            Is.Empty);

    [Test]
    public void NoType_UsesAHigherLayer() =>
        Assert.That(Upward(_uses, Layers.FoldersOfTypes, Layers.OfFolders), Is.Empty);

    [Test]
    public void NoFolders_UseEachOtherInACircle() =>
        Assert.That(Circle(_uses, Layers.FoldersOfTypes), Is.Empty);

    [Test]
    public void TheCode_WasReallyRead()
    {
        Assert.That(_uses, Does.Contain(("Admission", "StreamConnection")), "a constructor called in a method");
        Assert.That(_uses, Does.Contain(("StreamConnection", "Reactor")), "a field");
        Assert.That(_uses, Does.Contain(("Reactor", "IEventHandler")), "a cast");
        Assert.That(_uses, Has.Length.GreaterThan(80));
    }

    [Test]
    public void AViolation_IsFound()
    {
        var folders =
            new Dictionary<string, string> { ["A"] = "Low", ["B"] = "High", ["C"] = "Beside", ["D"] = "Low" };
        var layers = new Dictionary<string, int> { ["Low"] = 0, ["Beside"] = 0, ["High"] = 1 };

        Assert.That(
            Upward([("A", "B"), ("B", "A")], folders, layers), Is.EqualTo(new[] { "A (Low) uses B (High)" }));
        Assert.That(Circle([("A", "C"), ("C", "D")], folders), Is.Not.Empty);
        Assert.That(Circle([("A", "C"), ("D", "C"), ("A", "D")], folders), Is.Empty);
    }

    private static IEnumerable<string> Upward(
        IEnumerable<(string From, string To)> uses,
        IReadOnlyDictionary<string, string> folders,
        IReadOnlyDictionary<string, int> layers) => uses
        .Where(use => layers[folders[use.From]] < layers[folders[use.To]])
        .Select(use => $"{use.From} ({folders[use.From]}) uses {use.To} ({folders[use.To]})");

    // Takes away folders that use no other that is left; the rest goes in a circle.
    private static IEnumerable<string> Circle(
        IEnumerable<(string From, string To)> uses, IReadOnlyDictionary<string, string> folders)
    {
        List<(string From, string To)> left =
        [
            .. uses.Select(use => (From: folders[use.From], To: folders[use.To]))
                .Where(static use => use.From != use.To)
                .Distinct(),
        ];
        while (left.RemoveAll(use => !left.Exists(other => other.From == use.To)) > 0)
        {
            continue;
        }

        return left.Select(static use => $"{use.From} uses {use.To}");
    }

    private static string NameOf(Type type) => type.Name.Split('`')[0];
}
