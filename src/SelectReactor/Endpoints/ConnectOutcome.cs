using System.Diagnostics;
using System.Net;
using SelectReactor.Diagnostics;
using SelectReactor.Dispatch;

namespace SelectReactor.Endpoints;

/// <summary>What an attempt to connect comes to: the task for its caller, the count of failures, the span.</summary>
internal sealed class ConnectOutcome
{
    private readonly ReactorCompletion<Connection> _completion;
    private readonly Instruments _instruments;
    private readonly Activity? _span;

    /// <summary>Call it on the thread of the caller, whose activity the span is a part of.</summary>
    public ConnectOutcome(Reactor reactor, EndPoint remoteEndPoint, bool isTraced)
    {
        _completion = new ReactorCompletion<Connection>(reactor);
        _instruments = reactor.Counts.Instruments;
        Tags = EndpointTags.Client(remoteEndPoint);
        _span = isTraced ? ConnectTrace.Start(Tags, remoteEndPoint, _instruments) : null;
    }

    public EndpointTags Tags { get; }

    public bool IsCompleted => _completion.IsCompleted;

    /// <summary>The task for the calling thread. Any thread.</summary>
    public Task<Connection> Task => _completion.Task;

    public void SetConnection(Connection connection)
    {
        EndSpan(connection, error: null);
        _completion.SetResult(connection);
    }

    /// <summary>There is no connection.</summary>
    public void SetFailure(Exception error)
    {
        _instruments.CountConnectError(Tags, ErrorTypes.Of(error));
        EndSpan(connection: null, error);
        if (error is OperationCanceledException cancelled)
        {
            _completion.SetCanceled(cancelled);
        }
        else
        {
            _completion.SetException(error);
        }
    }

    /// <summary>The caller's own code failed on the connection, before the caller got it.</summary>
    public void SetFault(Connection connection, Exception error)
    {
        EndSpan(connection, error);
        _completion.SetException(error);
    }

    private void EndSpan(Connection? connection, Exception? error)
    {
        if (_span is not null)
        {
            ConnectTrace.Stop(_span, connection?.RemoteEndPoint, error, _instruments);
        }
    }
}
