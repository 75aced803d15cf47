using System.Net.Sockets;
using System.Security.Authentication;
using SelectReactor.Connections;
using SelectReactor.Diagnostics;
using SelectReactor.Timing;

namespace SelectReactor.Tls;

/// <summary>The step that makes a TLS stream of a connected handle.</summary>
/// <param name="createEngine">Makes the engine when the peer has said something, or at once for a client. It is told
/// whether the run is to be the same each time.</param>
/// <param name="timeLimit">How long it may take.</param>
/// <param name="gate">Shared by the handshakes of a listener. Null for a client.</param>
internal sealed class TlsHandshake(
    Func<bool, ITlsEngine> createEngine, TimeSpan timeLimit, HandshakeGate? gate) : OpeningStep
{
    private const int ReceiveBytes = 16 * 1024;

    private LinkedListNode<TlsHandshake>? _place;
    private CiphertextBuffer _early;
    private HandshakeTurns? _turns;
    private Stage _stage;
    private bool _hasPeerSpoken;
    private long? _begunAt;

    private enum Stage
    {
        /// <summary>Waits for the peer.</summary>
        Receiving,

        /// <summary>Waits for a turn to compute.</summary>
        Waiting,

        /// <summary>The engine computes.</summary>
        Computing,

        /// <summary>It was given up while the engine computes: a callback may still run.</summary>
        Abandoned,
        Ended,
    }

    public override string Name => "TLS handshake";

    public override TimeSpan TimeLimit => timeLimit;

    private bool IsServer => gate is not null;

    private Handle Transport => Sequence.Opened.Handle;

    private Instruments Instruments => Sequence.Reactor.Counts.Instruments;

    public override void Begin()
    {
        if (Instruments.IsHandshakeListenedTo)
        {
            _begunAt = Sequence.Reactor.Clock.Now;
        }

        Sequence.Interest = Interest.Read;
        _early.Add(Sequence.Opened.Received.Span);
        if (!IsServer || !_early.IsEmpty)
        {
            GoOn();
        }
    }

    public override void OnReady(Interest ready)
    {
        if ((ready & Interest.Write) != 0 && _turns is { IsLoopsTurn: true } && !SendOutput())
        {
            return;
        }

        if ((ready & Interest.Read) != 0 && _stage == Stage.Receiving)
        {
            Receive();
        }
    }

    public override void LookAgain()
    {
        if (_stage == Stage.Computing)
        {
            OnTurnEnded();
        }
        else
        {
            base.LookAgain();
        }
    }

    /// <summary>The gate lets the handshake compute.</summary>
    public void Enter()
    {
        _stage = Stage.Computing;
        _turns!.GiveTurn();
    }

    public override void End()
    {
        Record();
        Stage before = _stage;
        _early.Release();
        bool computesOn = _turns is not null && _turns.Abandon();
        _stage = computesOn ? Stage.Abandoned : Stage.Ended;
        if (before == Stage.Waiting)
        {
            gate?.Leave(_place!);
        }
        else if (before == Stage.Computing && !computesOn)
        {
            gate?.Exit();
        }
    }

    // A step that has completed has given its engine away.
    private void Record()
    {
        if (_begunAt is not { } begun)
        {
            return;
        }

        MonotonicClock clock = Sequence.Reactor.Clock;
        ITlsFeature? tls = Sequence.Opened.Facts?.GetFeature<ITlsFeature>();
        string? error = tls is null ? ErrorTypes.Of(Sequence.Failure ?? new OperationCanceledException()) : null;
        Instruments.RecordHandshake(
            Sequence.Opened.Counts.Tags.Role, clock.Until(clock.Now, begun), VersionOf(tls), error);
    }

    private static string? VersionOf(ITlsFeature? tls) => tls?.Protocol switch
    {
        null => null,
        SslProtocols.Tls12 => "1.2",
        SslProtocols.Tls13 => "1.3",
        var other => other.ToString(),
    };

    private void Receive()
    {
        ref CiphertextBuffer input = ref (_turns is null ? ref _early : ref _turns.Bytes.Input);
        SocketError error = Transport.Receive(input.Reserve(ReceiveBytes), out int received);
        input.Commit(received);
        if (error == SocketError.WouldBlock)
        {
            return;
        }

        if (error != SocketError.Success)
        {
            Fail(Explain(new SocketException((int)error)));
        }
        else if (received == 0 && _turns is null)
        {
            Fail(new IOException($"{Sequence.Prefix}the peer ended the connection before the TLS handshake."));
        }
        else
        {
            Sequence.NoteProgress();
            if (_turns is not null)
            {
                _turns.HasInputEnded = received == 0;
            }

            GoOn();
        }
    }

    private void GoOn()
    {
        ReadOnlySpan<byte> received = _turns is null ? _early.Unread : _turns.Bytes.Input.Unread;
        if (!_hasPeerSpoken && !received.IsEmpty)
        {
            _hasPeerSpoken = true;
            if (NotTls.Explain(received, IsServer) is { } what)
            {
                Fail(new AuthenticationException(Sequence.Prefix + what));
                return;
            }
        }

        if (_turns is null)
        {
            Start();
        }

        Sequence.Interest = Interest.None;
        if (gate is null || gate.TryEnter(_place ??= new LinkedListNode<TlsHandshake>(this)))
        {
            Enter();
        }
        else
        {
            _stage = Stage.Waiting;
        }
    }

    // With a clock of its own, such as that of a simulation, a reactor is to run the same way each time.
    private void Start()
    {
        bool onLoop = Sequence.Reactor.TimeProvider != TimeProvider.System;
        ITlsEngine engine = createEngine(onLoop);
        _turns = new HandshakeTurns(engine, PostEndOfTurn, onLoop);
        engine.Port = _turns;
        _turns.Bytes.Input = _early;
        _early = default;
    }

    private bool PostEndOfTurn(HandshakeTurns turns) =>
        Sequence.Reactor.TryPost(static self => ((TlsHandshake)self!).OnTurnEnded(), this);

    // It may have been noticed before the message came, and then the engine may have the next turn already.
    private void OnTurnEnded()
    {
        if (_stage == Stage.Abandoned && _turns!.IsOver)
        {
            _stage = Stage.Ended;
            gate?.Exit();
        }

        if (_stage != Stage.Computing || !_turns!.IsLoopsTurn)
        {
            return;
        }

        _stage = Stage.Receiving;
        Sequence.NoteProgress();
        gate?.Exit();
        Sequence.Try(_ =>
        {
            if (SendOutput())
            {
                FinishIfDone();
            }
        });
    }

    private void FinishIfDone()
    {
        HandshakeTurns turns = _turns!;
        if (!turns.IsDone)
        {
            return;
        }

        if (turns.Error is { } error)
        {
            Fail(Explain(error));
            return;
        }

        turns.Bytes.BytesSent += Sequence.Facts.BytesSent;
        Sequence.Facts.BytesSent = 0;
        Sequence.Facts.AddFeature<ITlsFeature>(new TlsFeature(turns.Engine));
        _turns = null;
        Sequence.Complete(Sequence.Opened with
        {
            Handle = new TlsHandle(Transport, turns.Engine, Sequence.Reactor.Buffers, turns.Bytes),
            Received = default,
        });
    }

    /// <summary>Sends what the engine has left. Of a handshake that is over, the rest is left to the stream.</summary>
    /// <returns>False if the handshake has failed with it.</returns>
    private bool SendOutput()
    {
        ref CiphertextBuffer output = ref _turns!.Bytes.Output;
        if (!output.IsEmpty)
        {
            SocketError error = Transport.Send(output.Unread, out int sent);
            output.Consume(sent);
            _turns.Bytes.BytesSent += sent;
            if (error is not (SocketError.Success or SocketError.WouldBlock) && _turns.Error is null)
            {
                Fail(Explain(new SocketException((int)error)));
                return false;
            }
        }

        Sequence.Interest = output.IsEmpty ? Interest.Read : Interest.Read | Interest.Write;
        return true;
    }

    // The alert that says why was sent: a reset could overtake it.
    private void Fail(Exception error) => Sequence.Fail(error, reset: error.InnerException is SocketException);

    private Exception Explain(Exception error)
    {
        string message = $"{Sequence.Prefix}the TLS handshake failed: {TlsError.Describe(error)}";
        return error is IOException or SocketException
            ? new IOException(message, error)
            : new AuthenticationException(message, error);
    }
}
