using System.Buffers;
using System.IO.Pipelines;
using SelectReactor.Framing;

namespace SelectReactor;

/// <summary>
/// A handler of whole messages: derive from it and override <see cref="OnMessage"/>. One object may serve any number
/// of connections, if its decoder and encoder may. What the peer sends must be messages to its end: input that is
/// malformed or too long, or that ends inside a message, closes the connection, since no later message can be found.
/// </summary>
/// <typeparam name="TIn">The type of the messages that the peer sends.</typeparam>
/// <typeparam name="TOut">The type of the messages to the peer; also a span.</typeparam>
/// <remarks>Messages that arrive together are handled one after the other. The rest waits while the connection's
/// reading is paused, while its output is above its high-water mark
/// (<see cref="ConnectionOptions.PauseReadingWhenOutputIsFull"/>), and after each 1,024 messages until other
/// connections have had their turn. When <see cref="Connection.Handler"/> is set, the new handler is offered the
/// rest.</remarks>
public abstract class MessageHandler<TIn, TOut> : ConnectionHandler
    where TOut : allows ref struct
{
    /// <summary>So many messages of 128 KiB of input must not keep the other connections waiting.</summary>
    private const int MaxMessagesPerTurn = 1024;

    private readonly MessageDecoder<TIn> _decoder;
    private readonly MessageEncoder<TOut> _encoder;

    /// <summary>For derived handlers.</summary>
    /// <param name="decoder">Finds the messages of the peer. One that keeps state needs a handler for each
    /// connection.</param>
    /// <param name="encoder">Writes the messages to the peer.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    protected MessageHandler(MessageDecoder<TIn> decoder, MessageEncoder<TOut> encoder)
    {
        ArgumentNullException.ThrowIfNull(decoder);
        ArgumentNullException.ThrowIfNull(encoder);
        _decoder = decoder;
        _encoder = encoder;
    }

    /// <summary>A message has arrived. Do not use <see cref="Connection.Input"/>. To work on it over a longer time,
    /// call <see cref="Connection.PauseReading"/>, and <see cref="Connection.ResumeReading"/> when it is done.
    /// </summary>
    /// <param name="connection">The connection.</param>
    /// <param name="message">The message. What refers to the input is valid until the method returns: copy what you
    /// keep.</param>
    protected abstract void OnMessage(Connection connection, TIn message);

    /// <summary>The peer has ended its stream (FIN) after a whole message, and all messages were handled. The default
    /// closes; override it to go on sending.</summary>
    protected virtual void OnMessagesEnded(Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        connection.Close();
    }

    /// <summary>The peer's input can't be decoded, and the connection closes when the method returns. Override it to
    /// tell the peer: what is sent here still reaches it. The default does nothing.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="kind"><see cref="CloseKind.LimitExceeded"/> if a message is too long; otherwise
    /// <see cref="CloseKind.ProtocolError"/>.</param>
    /// <param name="error">An <see cref="InvalidDataException"/> with the decoder's reason, or an
    /// <see cref="EndOfStreamException"/> if the stream has ended inside a message. It becomes
    /// <see cref="CloseReason.Error"/>.</param>
    protected virtual void OnProtocolError(Connection connection, CloseKind kind, Exception error)
    {
    }

    /// <summary>Sends a message: writes it to <see cref="Connection.Output"/>.</summary>
    /// <param name="connection">A connection with this protocol; also another one than that of the callback.</param>
    /// <param name="message">The message.</param>
    /// <exception cref="ArgumentException">The message can't be written in this form. Nothing was sent.</exception>
    /// <exception cref="InvalidOperationException">The output was completed, or called on another thread.</exception>
    public void Send(Connection connection, TOut message)
    {
        ArgumentNullException.ThrowIfNull(connection);
        _encoder.Encode(message, connection.Output);
    }

    /// <summary>Calls <see cref="OnMessage"/> for each message in the input.</summary>
    public sealed override void OnReadable(Connection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        if (!connection.Input.TryRead(out ReadResult result))
        {
            return;
        }

        ReadOnlySequence<byte> rest = result.Buffer;
        IConnectionHandler handler = connection.Handler;
        DecodeProgress progress = ProgressOf(connection);
        for (int count = 0; count < MaxMessagesPerTurn; count++)
        {
            if (connection.HoldsInput || connection.Handler != handler)
            {
                break;
            }

            DecodeResult<TIn> next = progress.Decode(connection, _decoder, rest, result.IsCompleted);
            if (next.Status != DecodeStatus.Message)
            {
                EndTurn(connection, next, rest, result.IsCompleted, progress);
                return;
            }

            rest = rest.Slice(next.Consumed);
            OnMessage(connection, next.Message);
        }

        // The rest is not examined, so that it is offered again.
        Keep(connection, progress);
        connection.Input.AdvanceTo(rest.Start);
    }

    /// <summary>Calls <see cref="OnMessage"/> for what is left, and then <see cref="OnMessagesEnded"/>.</summary>
    public sealed override void OnInputEnded(Connection connection) => OnReadable(connection);

    private void EndTurn(
        Connection connection,
        in DecodeResult<TIn> last,
        in ReadOnlySequence<byte> rest,
        bool isEnd,
        DecodeProgress progress)
    {
        bool needsMore = last.Status == DecodeStatus.NeedMore;
        if (needsMore && !isEnd)
        {
            Keep(connection, progress);
            connection.Input.AdvanceTo(rest.Start, rest.End);
            return;
        }

        long length = rest.Length;
        connection.Input.AdvanceTo(rest.End);
        if (needsMore && length == 0)
        {
            OnMessagesEnded(connection);
            return;
        }

        (CloseKind kind, Exception error) = DecodeError.Of(last, length);
        OnProtocolError(connection, kind, error);
        connection.Close(kind, error);
    }

    private DecodeProgress ProgressOf(Connection connection) =>
        connection.HandlerState is PartialMessage partial && partial.Decoder == _decoder ? partial.Progress : default;

    // A connection whose messages arrive whole never has the object.
    private void Keep(Connection connection, DecodeProgress progress)
    {
        if (connection.HandlerState is PartialMessage partial && partial.Decoder == _decoder)
        {
            partial.Progress = progress;
        }
        else if (progress.HasBegun)
        {
            connection.HandlerState = new PartialMessage(_decoder) { Progress = progress };
        }
    }
}
