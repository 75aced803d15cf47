using System.Runtime.CompilerServices;

namespace SelectReactor.Tests.House;

/// <summary>Data and knowledge go one way through the house: no room uses one above it, and none goes in a circle.</summary>
public sealed class FloorTests
{
    private static readonly (string From, string To)[] _uses =
    [
        .. References.Within(typeof(Reactor).Assembly)
            .Where(static pair => Rooms.OfTypes.ContainsKey(NameOf(pair.From)) && Rooms.OfTypes.ContainsKey(NameOf(pair.To)))
            .Select(static pair => (NameOf(pair.From), NameOf(pair.To))),
    ];

    [Test]
    public void EveryRoom_HasAFloor() =>
        Assert.That(Rooms.OfTypes.Values.Distinct(), Is.EquivalentTo(Rooms.Floors.Keys));

    // One that is in none would be left out of the rules below without a word.
    [Test]
    public void EveryType_HasARoom() =>
        Assert.That(
            typeof(Reactor).Assembly.GetTypes()
                .Where(static type => !type.IsNested && !type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false))
                .Where(static type => type.Namespace?.StartsWith(nameof(SelectReactor), StringComparison.Ordinal) == true)
                .Select(NameOf)
                .Where(static name => !Rooms.OfTypes.ContainsKey(name)),
            Is.Empty);

    [Test]
    public void NoType_UsesAHigherFloor() =>
        Assert.That(Upward(_uses, Rooms.OfTypes, Rooms.Floors), Is.Empty);

    [Test]
    public void NoRooms_UseEachOtherInACircle() =>
        Assert.That(Circle(_uses, Rooms.OfTypes), Is.Empty);

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
        var rooms = new Dictionary<string, string> { ["A"] = "Low", ["B"] = "High", ["C"] = "Beside", ["D"] = "Low" };
        var floors = new Dictionary<string, int> { ["Low"] = 0, ["Beside"] = 0, ["High"] = 1 };

        Assert.That(Upward([("A", "B"), ("B", "A")], rooms, floors), Is.EqualTo(new[] { "A (Low) uses B (High)" }));
        Assert.That(Circle([("A", "C"), ("C", "D")], rooms), Is.Not.Empty);
        Assert.That(Circle([("A", "C"), ("D", "C"), ("A", "D")], rooms), Is.Empty);
    }

    private static IEnumerable<string> Upward(
        IEnumerable<(string From, string To)> uses,
        IReadOnlyDictionary<string, string> rooms,
        IReadOnlyDictionary<string, int> floors) => uses
        .Where(use => floors[rooms[use.From]] < floors[rooms[use.To]])
        .Select(use => $"{use.From} ({rooms[use.From]}) uses {use.To} ({rooms[use.To]})");

    // Takes away rooms that use no other that is left; what remains goes in a circle.
    private static IEnumerable<string> Circle(
        IEnumerable<(string From, string To)> uses, IReadOnlyDictionary<string, string> rooms)
    {
        List<(string From, string To)> left =
        [
            .. uses.Select(use => (From: rooms[use.From], To: rooms[use.To])).Where(static use => use.From != use.To).Distinct(),
        ];
        while (left.RemoveAll(use => !left.Exists(other => other.From == use.To)) > 0)
        {
            continue;
        }

        return left.Select(static use => $"{use.From} uses {use.To}");
    }

    private static string NameOf(Type type) => type.Name.Split('`')[0];
}
