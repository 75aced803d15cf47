using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace SelectReactor.AspNetCore;

/// <summary>
/// The loop's side of a connection: moves received bytes into one pipe and bytes to send out of the other. Both ends
/// of the pipes that it has are used on the reactor's thread alone.
/// </summary>
internal sealed partial class TransportHandler : IConnectionHandler
{
    private readonly Connection _connection;
    private readonly Action<TransportContext> _connected;
    private readonly bool _isInline;
    private readonly PipeWriter _input;
    private readonly PipeReader _output;
    private readonly Action _outputRead;
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flush;
    private InputState _inputState;
    private bool _isClosedNotified;

    public TransportHandler(
        Connection connection, ReactorResources resources, ILogger logger, Action<TransportContext> connected)
    {
        _connection = connection;
        _connected = connected;
        _isInline = resources.IsInline;
        Logger = logger;
        var input = new Pipe(resources.Input);
        var output = new Pipe(resources.Output);
        _input = input.Writer;
        _output = output.Reader;
        _outputRead = ContinueOutput;
        Context = new TransportContext(
            connection, this, resources.Memory, new TransportPipes(input.Reader, output.Writer));
    }

    private enum InputState : byte
    {
        Open,

        /// <summary>The pipe is full.</summary>
        Paused,

        /// <summary>The application wants no more, or the connection has ended.</summary>
        Ended,

        /// <summary>The peer has ended its stream.</summary>
        EndReceived,
    }

    public TransportContext Context { get; }

    public ILogger Logger { get; }

    public void OnConnected(Connection connection)
    {
        LeaveContext();
        _connected(Context);
        ReadOutput();
    }

    public void OnReadable(Connection connection)
    {
        if (_outputState == OutputState.Draining || _endsWithPipe)
        {
            Discard();
            return;
        }

        if (_inputState != InputState.Open || !connection.Input.TryRead(out ReadResult read))
        {
            return;
        }

        LeaveContext();

        foreach (ReadOnlyMemory<byte> piece in read.Buffer)
        {
            _input.Write(piece.Span);
        }

        connection.Input.AdvanceTo(read.Buffer.End);
        Flush();
    }

    public void OnWritable(Connection connection)
    {
        LeaveContext();
        if (_outputState == OutputState.AwaitingRoom)
        {
            _outputState = OutputState.Reading;
            ReadOutput();
        }
        else if (_outputState is OutputState.Draining or OutputState.Failed)
        {
            ContinueDrain();
        }
    }

    public void OnInputEnded(Connection connection)
    {
        LeaveContext();
        TransportLog.EndReceived(Logger, Context.ConnectionId);
        _inputState = InputState.EndReceived;
        EndInput(error: null);
    }

    public void OnClosed(Connection connection, CloseReason reason)
    {
        LeaveContext();
        EndInput(Explain(reason));
        EndOutput();
    }

    /// <summary>Cuts the connection for the reason that the application has given, or ends it if there is
    /// none.</summary>
    public void Abort()
    {
        if (_connection.State == ConnectionState.Closed)
        {
            return;
        }

        LeaveContext();
        if (Context.AbortReason is { } reason)
        {
            TransportLog.ResetSent(Logger, Context.ConnectionId, reason.Message);
            if (_inputState == InputState.EndReceived)
            {
                // Kestrel cuts a connection that the client has ended. The client's end, which came first, is to be
                // the reason that is told.
                _connection.Close();
            }

            _connection.Abort(reason);
        }
        else
        {
            EndWithPipe();
        }
    }

    // In inline scheduling the application may run inside a callback, and expects no synchronization context. After
    // the callback the loop restores its own.
    private void LeaveContext()
    {
        if (_isInline)
        {
            SynchronizationContext.SetSynchronizationContext(null);
        }
    }

    private void Flush()
    {
        if (TryFlush(isBeginning: true) || _inputState != InputState.Open)
        {
            return;
        }

        TransportLog.Paused(Logger, Context.ConnectionId);
        _inputState = InputState.Paused;
        _connection.PauseReading();
        _flush.UnsafeOnCompleted(Resume);
    }

    private void Resume()
    {
        TryFlush(isBeginning: false);
        if (_inputState == InputState.Paused)
        {
            TransportLog.Resumed(Logger, Context.ConnectionId);
            _inputState = InputState.Open;
            _connection.ResumeReading();
        }
    }

    // False if the pipe is full.
    private bool TryFlush(bool isBeginning)
    {
        try
        {
            if (isBeginning)
            {
                _flush = AwaiterOf(_input.FlushAsync());
                if (!_flush.IsCompleted)
                {
                    return false;
                }
            }

            if (_flush.GetResult().IsCompleted)
            {
                StopReading(error: null);
            }
        }
        catch (Exception exception)
        {
            // The application has completed the input with an exception.
            TransportLog.Failed(Logger, Context.ConnectionId, exception);
            StopReading(exception);
        }

        return true;
    }

    // The application reads no more: TCP slows the peer down.
    private void StopReading(Exception? error)
    {
        if (_inputState < InputState.Ended)
        {
            _connection.PauseReading();
            EndInput(error);
        }
    }

    private void EndInput(Exception? error)
    {
        _inputState = _inputState < InputState.Ended ? InputState.Ended : _inputState;
        _input.Complete(error);
        if (!_isClosedNotified)
        {
            _isClosedNotified = true;
            Context.NotifyClosed();
        }
    }

    private static ConfiguredValueTaskAwaitable<T>.ConfiguredValueTaskAwaiter AwaiterOf<T>(ValueTask<T> task) =>
        task.ConfigureAwait(false).GetAwaiter();

    private Exception Explain(CloseReason reason)
    {
        if (Context.AbortReason is { } abortReason)
        {
            return abortReason;
        }

        switch (reason.Kind)
        {
            case CloseKind.PeerReset:
                TransportLog.Reset(Logger, Context.ConnectionId);
                return new ConnectionResetException(
                    reason.Error?.Message ?? "Connection reset by peer", reason.Error!);
            case CloseKind.Local or CloseKind.PeerClosed:
                return new ConnectionAbortedException("The connection was closed.");
            case CloseKind.ReactorStopped:
                return new ConnectionAbortedException("The transport was stopped.");
            default:
                TransportLog.Failed(Logger, Context.ConnectionId, reason.Error);
                return new ConnectionAbortedException($"The connection has ended: {reason.Kind}.", reason.Error!);
        }
    }

    private sealed class TransportPipes(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
