using SelectReactor.Framing;

namespace SelectReactor;

/// <summary>Messages for code that has a connection and no <see cref="MessageHandler{TIn, TOut}"/>.</summary>
public static class MessageExtensions
{
    /// <summary>Reads the peer's messages with <c>await foreach</c>. The loop ends when the peer has ended its stream
    /// (FIN). When it is left, the current message counts as read, and the input after it can be read on.</summary>
    /// <remarks>
    /// <para>If the input can't be decoded, the loop throws. If the exception reaches the end of
    /// <see cref="AsyncConnectionHandler.ServeAsync"/>, the connection closes in good order with
    /// <see cref="CloseKind.ProtocolError"/> or <see cref="CloseKind.LimitExceeded"/> and that exception. To tell the
    /// peer, catch it, send, and throw it on.</para>
    /// <para>The library's decoders and a steady loop allocate nothing for a message. Code in the loop that sends much
    /// should await <c>Output.FlushAsync</c>, as after each read.</para>
    /// </remarks>
    /// <typeparam name="T">The type of the messages.</typeparam>
    /// <param name="connection">The connection. Its input must have no other reader meanwhile.</param>
    /// <param name="decoder">Finds the messages. What a message refers to in the input is valid until the loop asks
    /// for the next one.</param>
    /// <param name="cancellationToken">Ends a wait with an <see cref="OperationCanceledException"/>. Nothing is lost:
    /// the messages can be read on.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidDataException">In the loop: the input is malformed, or a message is too
    /// long.</exception>
    /// <exception cref="EndOfStreamException">In the loop: the peer has ended its stream inside a message.</exception>
    /// <exception cref="IOException">In the loop: the connection was cut, or closed by this side.</exception>
    public static IAsyncEnumerable<T> ReadMessagesAsync<T>(
        this Connection connection, MessageDecoder<T> decoder, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(decoder);
        return new MessageStream<T>(connection, decoder, cancellationToken);
    }

    /// <summary>Reads the peer's next message, as <see cref="ReadMessagesAsync"/> does. What comes after it stays for
    /// the next read.</summary>
    /// <typeparam name="T">The type of the message. It must not refer to the input, which is released before the
    /// caller has it: let the decoder copy what it needs, with <see cref="MessageDecoder{T}.Select"/>.</typeparam>
    /// <param name="connection">The connection. Its input must have no other reader meanwhile.</param>
    /// <param name="decoder">Finds the message.</param>
    /// <param name="cancellationToken">Ends the wait with an <see cref="OperationCanceledException"/>. The message can
    /// still be read later.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidDataException">In the task: the input is malformed, or the message is too
    /// long.</exception>
    /// <exception cref="EndOfStreamException">In the task: the peer has ended its stream before the message was
    /// complete.</exception>
    /// <exception cref="IOException">In the task: the connection was cut, or closed by this side.</exception>
    public static async Task<T> ReadMessageAsync<T>(
        this Connection connection, MessageDecoder<T> decoder, CancellationToken cancellationToken = default)
    {
        await foreach (T message in connection.ReadMessagesAsync(decoder, cancellationToken))
        {
            return message;
        }

        throw new EndOfStreamException("The peer has ended its stream, and no message came.");
    }

    /// <summary>Sends a message: writes it to <see cref="Connection.Output"/>.</summary>
    /// <typeparam name="T">The type of the message; also a span.</typeparam>
    /// <param name="connection">The connection.</param>
    /// <param name="encoder">Writes the message.</param>
    /// <param name="message">The message.</param>
    /// <exception cref="ArgumentNullException"><paramref name="connection"/> or <paramref name="encoder"/> is
    /// null.</exception>
    /// <exception cref="ArgumentException">The message can't be written in this form. Nothing was sent.</exception>
    /// <exception cref="InvalidOperationException">The output was completed, or called on another thread.</exception>
    public static void Send<T>(this Connection connection, MessageEncoder<T> encoder, T message)
        where T : allows ref struct
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(encoder);
        encoder.Encode(message, connection.Output);
    }
}
