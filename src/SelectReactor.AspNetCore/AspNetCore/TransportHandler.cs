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
        _outputRead = TakeOutput;
        Context = new TransportContext(
            connection, this, resources.Memory, new TransportPipes(input.Reader, output.Writer));
    }

    private enum InputState : byte
    {
        Open,

        /// <summary>The pipe is full.</summary>
        Paused,

        /// <summary>The peer has ended its stream, or the application wants no more, or the connection has
        /// ended.</summary>
        Ended,
    }

    public TransportContext Context { get; }

    public ILogger Logger { get; }

    public void OnConnected(Connection connection)
    {
        _connected(Context);
        ReadOutput();
    }

    public void OnReadable(Connection connection)
    {
        if (_inputState != InputState.Open || !connection.Input.TryRead(out ReadResult read))
        {
            return;
        }

        foreach (ReadOnlyMemory<byte> piece in read.Buffer)
        {
            _input.Write(piece.Span);
        }

        connection.Input.AdvanceTo(read.Buffer.End);
        Flush();
    }

    public void OnWritable(Connection connection)
    {
        if (_outputState == OutputState.AwaitingRoom)
        {
            _outputState = OutputState.Reading;
            ReadOutput();
        }
    }

    public void OnInputEnded(Connection connection)
    {
        TransportLog.EndReceived(Logger, Context.ConnectionId);
        EndInput(error: null);
    }

    public void OnClosed(Connection connection, CloseReason reason)
    {
        EndInput(Explain(reason));
        EndOutput();
    }

    /// <summary>Cuts the connection for the reason that the application has given.</summary>
    public void Abort()
    {
        if (_connection.State != ConnectionState.Closed)
        {
            TransportLog.ResetSent(Logger, Context.ConnectionId, Context.AbortReason!.Message);
            _connection.Abort(Context.AbortReason);
        }
    }

    // In inline scheduling the application runs inside the flush. It expects no synchronization context.
    private void Flush()
    {
        if (!_isInline)
        {
            _flush = AwaiterOf(_input.FlushAsync());
        }
        else
        {
            SynchronizationContext? context = SynchronizationContext.Current;
            SynchronizationContext.SetSynchronizationContext(null);
            _flush = AwaiterOf(_input.FlushAsync());
            SynchronizationContext.SetSynchronizationContext(context);
        }

        if (_flush.IsCompleted)
        {
            FinishFlush();
        }
        else if (_inputState == InputState.Open)
        {
            TransportLog.Paused(Logger, Context.ConnectionId);
            _inputState = InputState.Paused;
            _connection.PauseReading();
            _flush.UnsafeOnCompleted(Resume);
        }
    }

    private void Resume()
    {
        FinishFlush();
        if (_inputState == InputState.Paused)
        {
            TransportLog.Resumed(Logger, Context.ConnectionId);
            _inputState = InputState.Open;
            _connection.ResumeReading();
        }
    }

    private void FinishFlush()
    {
        FlushResult result = _flush.GetResult();
        _flush = default;
        if (result.IsCompleted && _inputState != InputState.Ended)
        {
            // The application reads no more: TCP slows the peer down.
            _connection.PauseReading();
            EndInput(error: null);
        }
    }

    private void EndInput(Exception? error)
    {
        _inputState = InputState.Ended;
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
