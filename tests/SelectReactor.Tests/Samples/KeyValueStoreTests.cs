using System.Text;
using KeyValueServer;
using Microsoft.Extensions.Time.Testing;

namespace SelectReactor.Tests.Samples;

public sealed class KeyValueStoreTests
{
    private readonly FakeTimeProvider _time = new();
    private KeyValueStore _store = null!;

    [SetUp]
    public void CreateStore() => _store = new KeyValueStore(_time);

    [Test]
    public void Find_AfterTheEndOfAKey_FindsNothingAndRemovesIt()
    {
        _store.ExpireAt(_store.SetString("k"u8, "v"u8), _store.Now + 10);
        _time.Advance(TimeSpan.FromMilliseconds(9));
        Assert.That(_store.Find("k"u8), Is.Not.Null);

        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.That(_store.Find("k"u8), Is.Null);
        Assert.That((_store.Count, _store.MortalCount, _store.ExpiredCount), Is.EqualTo((0, 0, 1L)));
    }

    [Test]
    public void Sweep_RemovesExpiredKeys_NoMoreThanItMayLookAt_AndGoesOnNextTime()
    {
        for (int i = 0; i < 100; i++)
        {
            // Every other one lives on.
            _store.ExpireAt(_store.SetString(Bytes($"{i}"), "v"u8), _store.Now + (i % 2 == 0 ? 10 : 1000));
        }

        _store.SetString("immortal"u8, "v"u8);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        _store.Sweep(30);
        Assert.That(_store.ExpiredCount, Is.InRange(1, 30));

        for (int i = 0; i < 10; i++)
        {
            _store.Sweep(30);
        }

        Assert.That((_store.Count, _store.MortalCount, _store.ExpiredCount), Is.EqualTo((51, 50, 50L)));
        Assert.That(_store.Find("1"u8), Is.Not.Null);
    }

    [Test]
    public void SetString_OverAnExpiringKey_MakesItImmortal()
    {
        _store.ExpireAt(_store.SetString("k"u8, "v"u8), _store.Now + 10);
        _store.SetString("k"u8, "w"u8);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.That(_store.Find("k"u8), Is.Not.Null);
        Assert.That(_store.MortalCount, Is.Zero);
    }

    [Test]
    public void RandomOperations_LeaveWhatADictionaryWouldHave([Range(1, 10)] int seed)
    {
        var random = new Random(seed);
        var model = new Dictionary<string, (string Value, long? End)>();
        for (int step = 0; step < 5000; step++)
        {
            string key = $"{random.Next(40)}";
            switch (random.Next(6))
            {
                case 0 or 1:
                    string value = new('v', random.Next(4));
                    _store.SetString(Bytes(key), Bytes(value));
                    model[key] = (value, null);
                    break;
                case 2 when _store.Find(Bytes(key)) is { } entry:
                    long end = _store.Now + random.Next(1, 20);
                    _store.ExpireAt(entry, end);
                    model[key] = (model[key].Value, end);
                    break;
                case 3 when _store.Find(Bytes(key)) is { } entry:
                    _store.Remove(entry);
                    model.Remove(key);
                    break;
                case 4:
                    _time.Advance(TimeSpan.FromMilliseconds(random.Next(3)));
                    break;
                default:
                    _store.Sweep(random.Next(10));
                    break;
            }

            bool lives = model.TryGetValue(key, out (string Value, long? End) expected)
                && !(expected.End <= _store.Now);
            var found = (StringEntry?)_store.Find(Bytes(key));
            Assert.That(
                found is null ? null : Encoding.ASCII.GetString(found.Value),
                Is.EqualTo(lives ? expected.Value : null));
            if (!lives)
            {
                model.Remove(key);
            }
        }

        _store.Sweep(int.MaxValue);
        var living = model.Values.Where(v => !(v.End <= _store.Now)).ToList();
        Assert.That(_store.Count, Is.EqualTo(living.Count));
        Assert.That(_store.MortalCount, Is.EqualTo(living.Count(v => v.End is not null)));
    }

    [Test]
    public void List_OfRandomPushesAndPops_IsWhatALinkedListWouldBe([Range(1, 10)] int seed)
    {
        var random = new Random(seed);
        var list = new ListEntry([]);
        var model = new LinkedList<byte>();
        for (int step = 0; step < 5000; step++)
        {
            // Long runs in one direction, so that the ring grows and shrinks.
            bool grow = step / 300 % 2 == 0 ? random.Next(4) > 0 : random.Next(4) == 0;
            byte value = (byte)random.Next(256);
            bool left = random.Next(2) == 0;
            if (grow || model.Count == 0)
            {
                if (left)
                {
                    list.PushLeft([value]);
                    model.AddFirst(value);
                }
                else
                {
                    list.PushRight([value]);
                    model.AddLast(value);
                }
            }
            else if (left)
            {
                Assert.That(list.PopLeft(), Is.EqualTo(new[] { model.First!.Value }));
                model.RemoveFirst();
            }
            else
            {
                Assert.That(list.PopRight(), Is.EqualTo(new[] { model.Last!.Value }));
                model.RemoveLast();
            }

            Assert.That(list.Count, Is.EqualTo(model.Count));
        }

        byte[] all = [.. Enumerable.Range(0, list.Count).Select(i => list[i][0])];
        Assert.That(all, Is.EqualTo(model));
    }

    [Test]
    public void KeyComparer_OfASliceAndOfTheArray_Agree([Range(0, 20)] int length)
    {
        byte[] key = new byte[length];
        new Random(length).NextBytes(key);
        byte[] slice = [0, .. key, 0];
        ReadOnlySpan<byte> same = slice.AsSpan(1, length);

        Assert.That(KeyComparer.Instance.GetHashCode(same), Is.EqualTo(KeyComparer.Instance.GetHashCode(key)));
        Assert.That(KeyComparer.Instance.Equals(same, key), Is.True);
        if (length > 0)
        {
            byte[] other = [.. key];
            other[^1]++;
            Assert.That(KeyComparer.Instance.Equals(same, other), Is.False);
        }
    }

    [Test]
    public void KeyComparer_OfKeysThatDifferInOneByte_HashesThemApart(
        [Values(1, 2, 7, 8)] int length, [Values] bool atEnd)
    {
        byte[] key = new byte[length];
        var hashes = new HashSet<int>();
        for (int i = 0; i < 256; i++)
        {
            key[atEnd ? ^1 : 0] = (byte)i;
            hashes.Add(KeyComparer.Instance.GetHashCode(key));
        }

        // One or two may meet by chance, since the secret differs in each process.
        Assert.That(hashes, Has.Count.GreaterThan(250));
    }

    private static byte[] Bytes(string text) => Encoding.ASCII.GetBytes(text);
}
