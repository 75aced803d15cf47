using SelectReactor.Dispatch;

namespace SelectReactor.Connections;

/// <content>The calls of the handler, and the work that waits for the phase in which it may be called.</content>
internal sealed partial class StreamConnection
{
    private DeferredWork _deferred;
    private bool _isOffering;
    private bool _hasAdvanced;

    /// <summary>The offer of input that the handler left because the output was above its mark.</summary>
    private DeferredWork _heldBack;

    private enum Callback
    {
        OnConnected,
        OnAttached,
        OnReadable,
        OnWritable,
        OnInputEnded,
        OnStopping,
        OnClosed,
    }

    internal override void BeginCallback(object handler)
    {
        // After the reactor's end this may be any thread.
        if (_reactor.IsReactorThread)
        {
            _reactor.BeginCallback(handler, this);
        }
    }

    /// <summary>The handler threw. Once the connection is closing or cut that changes nothing any more: a handler that
    /// writes on or reads on fails for that very reason, and the rest of the output is still to be sent.</summary>
    internal override void Fault(Exception error, string callback)
    {
        if (_phase == ConnectionPhase.Closed && callback == nameof(IConnectionHandler.OnClosed))
        {
            ReactorLog.CloseHandlerFault(_reactor.Logger, Id, error);
            return;
        }

        if (HandlerState is ProtocolFailure failure && failure.Error == error)
        {
            CloseFor(failure.Kind, error);
            return;
        }

        if (_phase >= ConnectionPhase.Closing || Reason.Kind != CloseKind.None)
        {
            LogFaultWhileClosing(error, callback);
            if (_phase == ConnectionPhase.Open)
            {
                Terminate(CloseKind.HandlerFault, error, reset: true);
            }

            return;
        }

        ReactorLog.HandlerFault(_reactor.Logger, Id, callback, error);
        Terminate(CloseKind.HandlerFault, error, reset: true);
    }

    // A mistake in the handler stays one, also where it does no harm any more.
    private void LogFaultWhileClosing(Exception error, string callback)
    {
        if (error is IOException or OperationCanceledException or ObjectDisposedException)
        {
            ReactorLog.HandlerStoppedByClose(_reactor.Logger, Id, callback, error);
        }
        else
        {
            ReactorLog.HandlerFaultWhileClosing(_reactor.Logger, Id, callback, error);
        }
    }

    private void Defer(DeferredWork work)
    {
        if (_deferred == DeferredWork.None && work != DeferredWork.None)
        {
            _reactor.ResumeLater(this);
        }

        _deferred |= work;
    }

    private void Resume()
    {
        DeferredWork work = _deferred;
        _deferred = DeferredWork.None;
        if (_phase == ConnectionPhase.Opening)
        {
            Defer(work);
            return;
        }

        if ((work & DeferredWork.Attached) != 0 && _phase == ConnectionPhase.Open)
        {
            Call(Callback.OnAttached);
        }

        if ((work & DeferredWork.Stopping) != 0 && _phase == ConnectionPhase.Open)
        {
            Call(Callback.OnStopping);
        }

        if ((work & DeferredWork.FlushResult) != 0)
        {
            _output.CompletePendingFlush();
        }

        if ((work & DeferredWork.Writable) != 0 && IsWritable)
        {
            Call(Callback.OnWritable);
            work |= _heldBack;
            _heldBack = DeferredWork.None;
        }

        if ((work & DeferredWork.ReadResult) != 0)
        {
            _input.CompletePendingRead();
        }

        if ((work & DeferredWork.Readable) != 0 && CanOffer)
        {
            DeliverReadable();
        }

        if ((work & DeferredWork.Receive) != 0 && WantsToRead)
        {
            Receive();
        }
    }

    private void DeliverReadable()
    {
        if ((_deferred & DeferredWork.Attached) != 0)
        {
            _deferred &= ~DeferredWork.Attached;
            Call(Callback.OnAttached);
        }

        // Input that is offered now need not be offered again.
        _deferred &= ~DeferredWork.Readable;
        _wasNotOffered = _input.IsReading;
        if (_input.Unexamined > 0 && !_input.IsReadPending && !_input.IsReading)
        {
            long consumedBefore = _input.TotalConsumed;
            _isOffering = true;
            _hasAdvanced = false;
            Call(Callback.OnReadable);
            _isOffering = false;
            if (_input.TotalConsumed != consumedBefore)
            {
                Defer(_input.Unexamined > 0 ? DeferredWork.Readable : DeferredWork.None);
            }
            else if (_hasAdvanced && _output.IsAboveMark)
            {
                // It waits for room in the output, and goes on with the rest then.
                _heldBack = DeferredWork.Readable;
            }
            else if (_hasAdvanced && _input.Unexamined >= PauseThreshold)
            {
                // It was shown a part of a large frame, and did not say that it has seen it: it still needs the rest.
                _input.ExamineRest();
            }
        }

        if (_inputState == InputState.EndSeen)
        {
            DeliverEnd();
        }
    }

    private void Call(Callback callback)
    {
        _reactor.BeginCallback(_handler!, this);
        try
        {
            switch (callback)
            {
                case Callback.OnConnected:
                    _handler!.OnConnected(this);
                    break;
                case Callback.OnAttached:
                    _handler!.OnAttached(this);
                    break;
                case Callback.OnReadable:
                    _handler!.OnReadable(this);
                    break;
                case Callback.OnWritable:
                    _handler!.OnWritable(this);
                    break;
                case Callback.OnInputEnded:
                    _handler!.OnInputEnded(this);
                    break;
                case Callback.OnStopping:
                    _handler!.OnStopping(this);
                    break;
                case Callback.OnClosed:
                    _handler!.OnClosed(this, Reason);
                    break;
            }
        }
        catch (Exception exception)
        {
            Fault(exception, callback.ToString());
        }

        _reactor.EndCallback();
    }
}
