namespace SelectReactor.Tls;

/// <summary>
/// A handshake as a dialogue of two that take turns: the loop moves encrypted bytes, and the engine computes, on the
/// thread pool, where certificate checks and callbacks of the user may block. Only the one whose turn it is touches
/// the bytes, so there is no lock. The engine's turn ends when it needs more input or has finished.
/// </summary>
internal sealed class HandshakeTurns(ITlsEngine engine, Func<HandshakeTurns, bool> ended, bool onLoop)
    : ICiphertextPort
{
    private Action? _cancel;
    private volatile Turn _turn;
    private bool _isStarted;

    private enum Turn
    {
        Loop,
        Engine,

        /// <summary>Nobody waits for the outcome.</summary>
        Abandoned,

        /// <summary>Abandoned, and the engine is disposed of.</summary>
        Over,
    }

    public ITlsEngine Engine => engine;

    /// <summary>Whether the handshake is over.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Why it failed. Null if it did not.</summary>
    public Exception? Error { get; private set; }

    /// <summary>Whether the peer has ended its stream.</summary>
    public bool HasInputEnded { get; set; }

    /// <summary>Whether the loop may use the members.</summary>
    public bool IsLoopsTurn => _turn == Turn.Loop;

    /// <summary>Whether an abandoned handshake computes no longer.</summary>
    public bool IsOver => _turn == Turn.Over;

    /// <summary>What is there for the engine, and what it has left to send.</summary>
    public HandshakeRest Bytes;

    bool ICiphertextPort.IsBetweenRecords => false;

    /// <summary>Begins the engine's turn. <c>ended</c> is called when it is over, on any thread, also if it was
    /// abandoned. It returns false if nobody is left to tell.</summary>
    public void GiveTurn()
    {
        _turn = Turn.Engine;
        if (onLoop)
        {
            Run();
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(static turns => turns.Run(), this, preferLocal: false);
        }
    }

    /// <summary>Gives up, in whoever's turn. The engine is disposed of as soon as it stands still.</summary>
    /// <returns>Whether the engine computes on: a callback may run still.</returns>
    public bool Abandon()
    {
        Turn before = Interlocked.Exchange(ref _turn, Turn.Abandoned);
        _cancel?.Invoke();
        if (before != Turn.Loop)
        {
            return before == Turn.Engine;
        }

        if (_isStarted && !IsDone)
        {
            // It stands still in a read. The rest runs inside this call, or on the pool.
            engine.Cancel();
        }
        else
        {
            Release();
        }

        return false;
    }

    bool ICiphertextPort.HasInput()
    {
        ThrowIfAbandoned();
        return !Bytes.Input.IsEmpty || HasInputEnded;
    }

    int ICiphertextPort.Receive(Span<byte> buffer)
    {
        ThrowIfAbandoned();
        if (Bytes.Input.IsEmpty)
        {
            return HasInputEnded ? 0 : -1;
        }

        return Bytes.Records.Take(ref Bytes.Input, buffer);
    }

    void ICiphertextPort.Send(ReadOnlySpan<byte> bytes)
    {
        ThrowIfAbandoned();
        Bytes.Output.Add(bytes);
    }

    // Whoever abandons the handshake a moment later finds the read that waits, and cancels it.
    void ICiphertextPort.Wait()
    {
        if (!TryEndTurn())
        {
            engine.Cancel();
        }
    }

    private void Run()
    {
        if (_isStarted)
        {
            engine.Resume();
        }
        else
        {
            _isStarted = true;
            _ = RunAsync();
        }
    }

    private async Task RunAsync()
    {
        // On the pool: callbacks of the token are the user's.
        var cancellation = new CancellationTokenSource();
        _cancel = () => _ = cancellation.CancelAsync();
        try
        {
            await engine.HandshakeAsync(cancellation.Token).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Error = exception;
        }

        IsDone = true;
        if (!TryEndTurn())
        {
            try
            {
                Release();
            }
            finally
            {
                _turn = Turn.Over;
                ended(this);
            }
        }
    }

    /// <returns>False if the handshake is abandoned, and it is left to the caller to end it.</returns>
    private bool TryEndTurn()
    {
        if (Interlocked.CompareExchange(ref _turn, Turn.Loop, Turn.Engine) != Turn.Engine)
        {
            return false;
        }

        // Without a reactor it is abandoned: by this thread or by Abandon, whichever comes first.
        return ended(this) || Interlocked.Exchange(ref _turn, Turn.Abandoned) != Turn.Loop;
    }

    private void ThrowIfAbandoned()
    {
        if (_turn == Turn.Abandoned)
        {
            throw new OperationCanceledException("The handshake was given up.");
        }
    }

    private void Release()
    {
        engine.Dispose();
        Bytes.Input.Release();
        Bytes.Output.Release();
    }
}
