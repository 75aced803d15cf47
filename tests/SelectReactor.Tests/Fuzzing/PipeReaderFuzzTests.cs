using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using CsCheck;
using SelectReactor.Tests.Buffers;

namespace SelectReactor.Tests.Fuzzing;

/// <summary>Input buffer and stock pipe are given the same calls, right and wrong, and must agree on each.</summary>
public sealed class PipeReaderFuzzTests
{
    private enum Kind
    {
        Produce,
        TryRead,
        ReadAsync,
        Advance,
        Cancel,
        End,
        EndWithError,
        Complete,
    }

    private static Gen<Step> AnyStep { get; } = Gen.Select(
        Gen.Frequency(
            (6, Gen.Const(Kind.Produce)),
            (8, Gen.Const(Kind.TryRead)),
            (3, Gen.Const(Kind.ReadAsync)),
            (10, Gen.Const(Kind.Advance)),
            (1, Gen.Const(Kind.Cancel)),
            (1, Gen.OneOf(Kind.End, Kind.EndWithError, Kind.Complete))),
        Gen.Frequency((6, Gen.Int[1, 3]), (1, Gen.Int[4090, 4100]), (1, Gen.Int[1, 90_000])),
        Gen.Int[0, 100],
        Gen.Int[0, 100],
        static (call, size, consumed, examined) => new Step(call, size, consumed, examined));

    [Test]
    public void InputBuffer_DoesWhatTheStockPipeDoes_WhateverIsCalled()
    {
        Fuzz.Run(AnyStep.Array[1, 40], 1500, Compare, static steps => string.Join<Step>("; ", steps));
    }

    private static void Compare(Step[] steps)
    {
        Reading[] readings =
            [.. ReaderSubject.All.Select(static data => new Reading(((Func<ReaderSubject>)data.Arguments[0]!)()))];
        var agreed = new StringBuilder();
        foreach (Step step in steps)
        {
            string stock = readings[0].Do(step);
            Fuzz.RequireEqual(readings[1].Do(step), stock, $"{agreed}{step.Kind}");
            agreed.Append(step.Kind).Append(": ").Append(stock).Append("; ");
        }
    }

    private sealed record Step(Kind Kind, int Size, int Consumed, int Examined);

    /// <summary>One reader, and what its user remembers of it.</summary>
    private sealed class Reading(ReaderSubject subject)
    {
        private ReadOnlySequence<byte>? _bytes;
        private Task<ReadResult>? _waiting;
        private byte _next;
        private bool _willCancel;
        private bool _isCancelled;
        private bool _ended;
        private bool _readNothing;

        /// <summary>Does one thing, and says in words all that can be seen of it.</summary>
        public string Do(Step step)
        {
            string seen;
            try
            {
                seen = Call(step);
            }
            catch (Exception exception)
            {
                seen = exception.GetType().Name;
            }

            subject.Settle();
            return seen + Collect();
        }

        private string Call(Step step)
        {
            switch (step.Kind)
            {
                case Kind.Produce when !_ended:
                    byte[] bytes = new byte[step.Size];
                    foreach (ref byte value in bytes.AsSpan())
                    {
                        value = _next++;
                    }

                    subject.Produce(bytes);
                    break;
                case Kind.TryRead or Kind.ReadAsync or Kind.Advance when _waiting is not null:
                case Kind.TryRead or Kind.ReadAsync when _bytes is not null && (_willCancel || _ended):
                    // Wrong calls that the stock pipe, after a cancelled or at the last read, does not always notice.
                    break;
                case Kind.TryRead:
                    bool hasRead = subject.Reader.TryRead(out ReadResult result);
                    _readNothing |= !hasRead;
                    return hasRead ? Take(result) : "nothing";
                case Kind.ReadAsync:
                    _waiting = subject.Reader.ReadAsync().AsTask();
                    break;
                case Kind.Advance:
                    Advance(step);
                    break;
                case Kind.Cancel:
                    subject.Reader.CancelPendingRead();
                    _willCancel = true;
                    break;
                case Kind.End or Kind.EndWithError when !_ended:
                    _ended = true;
                    subject.End(step.Kind == Kind.End ? null : new IOException("cut"));
                    break;
                case Kind.Complete when _waiting is null:
                    // The memory that was read is no longer the reader's.
                    subject.Reader.Complete();
                    _bytes = null;
                    break;
                default:
                    break;
            }

            return string.Empty;
        }

        // In percent of what was read; what is examined may come before what is consumed, which is wrong.
        private void Advance(Step step)
        {
            if (_bytes is not { } bytes)
            {
                // The stock pipe also lets a read that brought nothing be advanced; ours says that it is a mistake.
                if (!_readNothing)
                {
                    subject.Reader.AdvanceTo(default);
                }

                return;
            }

            // When a cancelled read looks less far than an earlier one, the stock pipe waits for new bytes anyway.
            int examined = _isCancelled ? 100 : step.Examined;
            SequencePosition consumed = bytes.GetPosition(bytes.Length * step.Consumed / 100);
            subject.Reader.AdvanceTo(consumed, bytes.GetPosition(bytes.Length * examined / 100));
            _bytes = null;
            _readNothing = false;
        }

        private string Collect()
        {
            if (_waiting is not { IsCompleted: true } waited)
            {
                return _waiting is null ? string.Empty : ", waiting";
            }

            _waiting = null;
            return waited.IsCompletedSuccessfully
                ? Take(waited.Result)
                : waited.Exception!.InnerException!.GetType().Name;
        }

        private string Take(ReadResult result)
        {
            _bytes = result.Buffer;
            _isCancelled = result.IsCanceled;
            _willCancel &= !result.IsCanceled;
            byte[] bytes = result.Buffer.ToArray();
            var hash = default(HashCode);
            hash.AddBytes(bytes);
            return $"{bytes.Length} bytes #{hash.ToHashCode()}, {result.IsCompleted}, {result.IsCanceled}";
        }
    }
}
