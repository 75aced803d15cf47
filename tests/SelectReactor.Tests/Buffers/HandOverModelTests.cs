using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Buffers;

namespace SelectReactor.Tests.Buffers;

/// <summary>Random hand-overs between several inputs and outputs, against lists of bytes.</summary>
public sealed class HandOverModelTests : HandOverFixture
{
    private readonly List<byte>[] _received = [[], []];
    private readonly List<byte>[] _queued = [[], []];
    private readonly ReadOnlySequence<byte>?[] _results = new ReadOnlySequence<byte>?[2];
    private readonly List<SharedPayload> _payloads = [];
    private Random _random = null!;
    private int _shared;

    [TestCaseSource(nameof(Seeds))]
    public void WhateverIsHandedOver_ComesOutAsItWasInOrder_AndTheMemoryComesBack(int seed)
    {
        _random = new Random(seed);
        for (int i = 0; i < 2; i++)
        {
            _received[i].Clear();
            _queued[i].Clear();
            _results[i] = null;
        }

        _shared = 0;
        for (int step = 0; step < 600; step++)
        {
            Step(_random.Next(2), _random.Next(2));
            Assert.That(
                Outputs.Select(static output => output.Queued),
                Is.EqualTo(_queued.Zip(Sinks, static (queued, sink) => (long)queued.Count - sink.Sent.Count)),
                $"seed {seed}, step {step}");
        }

        Assert.That(_shared, Is.Positive, $"seed {seed}");
        _payloads.ForEach(static payload => payload.Dispose());
        _payloads.Clear();
        for (int i = 0; i < 2; i++)
        {
            SendAll(i);
            Assert.That(Sinks[i].Sent.SequenceEqual(_queued[i]), Is.True, $"seed {seed}, output {i}");
            while (_results[i] is not null || _received[i].Count > 0)
            {
                // A result that was taken earlier does not show what was received since.
                AdvanceTo(i, (int)Peek(i)!.Value.Length);
            }

            Outputs[i].GetMemory();
            Outputs[i].Advance(0);
        }

        Assert.That(Pool.Outstanding, Is.Zero, $"seed {seed}");
    }

    private static IEnumerable<int> Seeds => Enumerable.Range(1, 60);

    private void Step(int input, int output)
    {
        switch (_random.Next(10))
        {
            case 0:
            case 1:
                byte[] bytes = Bytes(Size(), _random.Next());
                Receive(Inputs[input], bytes, _random.Next(2) == 0 ? _random : null);
                _received[input].AddRange(bytes);
                break;
            case 2:
            case 3:
            case 4:
                HandOver(input, output);
                break;
            case 5:
                Write(output);
                break;
            case 6 when Peek(input) is { } all:
                AdvanceTo(input, _random.Next(4) == 0 ? (int)all.Length : _random.Next((int)all.Length + 1));
                break;
            case 7:
                SharePayload(output);
                break;
            case 8:
                Pool.Trim();
                break;
            default:
                Send(output);
                break;
        }
    }

    private int Size() => _random.Next(1, _random.Next(4) switch
    {
        0 => 50,
        1 => 5_000,
        2 => 40_000,
        _ => 200_000,
    });

    private ReadOnlySequence<byte>? Peek(int input)
    {
        if (_results[input] is null && Inputs[input].TryRead(out ReadResult result))
        {
            _results[input] = result.Buffer;
        }

        _results[input] ??= _received[input].Count == 0 ? ReadOnlySequence<byte>.Empty : null;
        return _results[input];
    }

    private void HandOver(int input, int output)
    {
        if (Peek(input) is not { IsEmpty: false } all)
        {
            return;
        }

        int start = _random.Next(2) == 0 ? 0 : _random.Next((int)all.Length);
        int length = _random.Next(2) == 0 ? (int)all.Length - start : _random.Next((int)all.Length - start + 1);
        int before = Pool.Outstanding;
        Outputs[output].Append(all.Slice(start, length));
        _shared += Pool.Outstanding - before;
        _queued[output].AddRange(_received[input].GetRange(start, length));
        if (_random.Next(3) > 0)
        {
            AdvanceTo(input, start + length);
        }
    }

    private void AdvanceTo(int input, int count)
    {
        ReadOnlySequence<byte> all = _results[input]!.Value;
        _results[input] = null;
        if (!all.IsEmpty)
        {
            // All counts as unexamined, so that the next read follows at once.
            Inputs[input].AdvanceTo(all.GetPosition(count));
        }

        _received[input].RemoveRange(0, count);
    }

    private void Write(int output)
    {
        byte[] bytes = Bytes(Size(), _random.Next());
        switch (_random.Next(4))
        {
            case 0:
                Outputs[output].TryAppend(bytes);
                break;
            case 1:
                Outputs[output].Append(new ReadOnlySequence<byte>(bytes));
                break;
            case 2:
                bytes.CopyTo(Outputs[output].GetMemory(bytes.Length));
                Outputs[output].Advance(bytes.Length);
                break;
            default:
                // Lent and not used: what is handed over next comes behind it, and must not be written to.
                Outputs[output].GetMemory(_random.Next(1, 5000)).Span.Fill(255);
                return;
        }

        _queued[output].AddRange(bytes);
    }

    private void SharePayload(int output)
    {
        if (_payloads.Count == 0 || _random.Next(3) == 0)
        {
            var payload = new SharedPayload(Pool);
            payload.Write(Bytes(Size(), _random.Next()));
            _payloads.Add(payload);
        }

        SharedPayload any = _payloads[_random.Next(_payloads.Count)];
        Outputs[output].Append(any.Bytes);
        _queued[output].AddRange(any.Bytes.ToArray());
        if (_random.Next(3) == 0)
        {
            _payloads.Remove(any);
            any.Dispose();
        }
    }

    private void Send(int output)
    {
        Sinks[output].Appetite = _random.Next(3) == 0 ? int.MaxValue : _random.Next(60_000);
        if (Outputs[output].Queued > 0)
        {
            SendOnce(output);
        }
    }
}
