using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;

namespace SelectReactor.AspNetCore;

/// <content>From the application to the connection.</content>
internal sealed partial class TransportHandler
{
    /// <summary>How much of the output is taken from the pipe before the system has taken it.</summary>
    public const int OutputMark = 64 * 1024;

    private const string EndReason = "The transport's send loop completed gracefully.";

    /// <summary>More than <see cref="OutputMark"/>, which is the connection's limit.</summary>
    private static readonly byte[] _neverFits = new byte[OutputMark + 1];
    private ConfiguredValueTaskAwaitable<ReadResult>.ConfiguredValueTaskAwaiter _read;
    private OutputState _outputState;
    private bool _endsWithPipe;
    private Exception? _failure;

    private enum OutputState : byte
    {
        /// <summary>The application is to write.</summary>
        Reading,

        /// <summary>The connection has no room for more.</summary>
        AwaitingRoom,

        /// <summary>The application has failed, and not all that was taken before is with the system.</summary>
        Failed,

        /// <summary>The application has ended the output, and not all of it is with the system.</summary>
        Draining,

        /// <summary>All is sent or lost.</summary>
        Ended,
    }

    private void ReadOutput()
    {
        while (_outputState == OutputState.Reading)
        {
            if (!TryTakeOutput(isBeginning: true))
            {
                _read.UnsafeOnCompleted(_outputRead);
                return;
            }
        }
    }

    private void ContinueOutput()
    {
        // The connection may have ended meanwhile.
        if (_outputState == OutputState.Reading)
        {
            TryTakeOutput(isBeginning: false);
            ReadOutput();
        }
    }

    // False if there is nothing to take yet.
    private bool TryTakeOutput(bool isBeginning)
    {
        try
        {
            if (isBeginning)
            {
                _read = AwaiterOf(_output.ReadAsync());
                if (!_read.IsCompleted)
                {
                    return false;
                }
            }

            ReadResult read = _read.GetResult();
            Send(read.Buffer, read.IsCompleted);
        }
        catch (Exception exception)
        {
            // The application has completed the output with an exception. As in Kestrel's own transport, the system
            // gets what was taken from the pipe before.
            _failure = exception;
            _outputState = OutputState.Failed;
            ContinueDrain();
        }

        return true;
    }

    private void Send(in ReadOnlySequence<byte> bytes, bool isLast)
    {
        ReadOnlySequence<byte> rest = bytes;
        while (!rest.IsEmpty && _connection.IsWritable)
        {
            long count = Math.Min(rest.Length, OutputMark - _connection.QueuedOutputBytes);
            _connection.Append(rest.Slice(0, count));
            rest = rest.Slice(count);
        }

        if (!rest.IsEmpty)
        {
            // If the connection is closed there will be no room again, and its end completes the pipe.
            _outputState = OutputState.AwaitingRoom;
        }
        else if (isLast || _endsWithPipe)
        {
            _outputState = OutputState.Draining;
        }

        _output.AdvanceTo(rest.Start);
        if (_outputState == OutputState.Draining)
        {
            Close();
        }
    }

    // What the pipe holds was written before, and is sent: without it an answer would be short and look whole.
    private void EndWithPipe()
    {
        if (_endsWithPipe || _outputState is not (OutputState.Reading or OutputState.AwaitingRoom))
        {
            return;
        }

        _endsWithPipe = true;
        EndInput(new ConnectionAbortedException(EndReason));
        if (_outputState == OutputState.Reading && !_read.IsCompleted)
        {
            _output.CancelPendingRead();
        }
    }

    private void Close()
    {
        TransportLog.EndSent(Logger, Context.ConnectionId, EndReason);
        _output.Complete();
        EndInput(new ConnectionAbortedException(EndReason));

        // What still comes is discarded, so that a client that sends all before it reads comes to read.
        _connection.ResumeReading();
        ContinueDrain();
    }

    private void Discard()
    {
        if (_connection.Input.TryRead(out ReadResult read))
        {
            _connection.Input.AdvanceTo(read.Buffer.End);
        }
    }

    // A client may read as slowly as it likes: only the time after the system has taken all output is bounded. Then
    // the connection lingers until the peer has ended its stream, for which nobody has to wait.
    private void ContinueDrain()
    {
        if (_connection.QueuedOutputBytes > 0)
        {
            // It is refused, and OnWritable follows once the queue is empty.
            _connection.TryWrite(_neverFits);
        }
        else if (_outputState == OutputState.Failed)
        {
            TransportLog.ResetSent(Logger, Context.ConnectionId, _failure!.Message);
            _connection.Abort(_failure);
        }
        else
        {
            _connection.Close();
            EndOutput();
        }
    }

    private void EndOutput()
    {
        if (_outputState != OutputState.Ended)
        {
            _outputState = OutputState.Ended;
            _output.Complete();
            Context.NoteEnd();
        }
    }
}
