using System.Buffers;
using System.IO.Pipelines;
using SelectReactor;

namespace EchoClient;

/// <summary>
/// Standard input to the server, and its answers to standard output, until all has come back. Reading a terminal
/// blocks, so it is done on a thread of its own, which hands one piece after the other to the loop.
/// </summary>
internal sealed class LineExchange(Stream input, Stream output) : Exchange
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private Connection _connection = null!;
    private long _outstanding;
    private bool _inputEnded;

    public override void OnConnected(Connection connection)
    {
        _connection = connection;
        new Thread(ReadInput) { IsBackground = true, Name = "standard input" }.Start();
    }

    public override void OnReadable(Connection connection)
    {
        if (connection.Input.TryRead(out ReadResult result))
        {
            try
            {
                foreach (ReadOnlyMemory<byte> segment in result.Buffer)
                {
                    output.Write(segment.Span);
                }

                output.Flush();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                string reason = error.Message.TrimEnd('.');
                connection.Abort(new IOException($"Can't write standard output: {reason}.", error));
                return;
            }

            _outstanding -= result.Buffer.Length;
            connection.Input.AdvanceTo(result.Buffer.End);
        }
    }

    public override void Conclude(CloseReason reason)
    {
        base.Conclude(reason);
        if (_outstanding > 0)
        {
            throw new IOException($"The server closed the connection with {_outstanding} bytes not sent back.");
        }

        if (!_inputEnded)
        {
            throw new IOException("The server closed the connection before the input had ended.");
        }
    }

    private void ReadInput()
    {
        try
        {
            int count;
            do
            {
                count = Read(out IOException? error);
                _connection.Reactor.InvokeAsync(() => SendAsync(count, error)).GetAwaiter().GetResult();
            }
            while (count > 0);
        }
        catch (InvalidOperationException)
        {
            // The connection has ended meanwhile, which the other thread reports.
        }
    }

    private int Read(out IOException? error)
    {
        try
        {
            error = null;
            return input.Read(_buffer);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            error = new IOException($"Can't read standard input: {exception.Message}.", exception);
            return 0;
        }
    }

    private async Task SendAsync(int count, IOException? error)
    {
        if (error is not null)
        {
            _connection.Abort(error);
        }
        else if (count == 0)
        {
            // The server answers the end with its own, once it has sent everything back.
            _inputEnded = true;
            _connection.CloseOutput();
        }
        else
        {
            _outstanding += count;
            await _connection.Output.WriteAsync(_buffer.AsMemory(0, count));
        }
    }
}
