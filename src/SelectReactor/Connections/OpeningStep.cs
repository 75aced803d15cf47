namespace SelectReactor.Connections;

/// <summary>
/// Something to do with a connected handle before it is a connection: to read a PROXY header, to send one, a TLS
/// handshake. A step is made for one handle. All of its members are called on the reactor's thread.
/// </summary>
/// <remarks>
/// <para>How to write one:</para>
/// <list type="number">
/// <item><see cref="Begin"/> looks at <see cref="OpeningSequence.Opened"/>. Its <see cref="Opened.Received"/> come
/// before whatever the handle receives. It sets <see cref="OpeningSequence.Interest"/> to what it waits for, or ends
/// at once.</item>
/// <item><see cref="OnReady"/> follows whenever the handle is ready, or may be. It receives from and sends to
/// <see cref="Opened.Handle"/>. An end of stream, an error or a malformed byte is a failure. Bytes that came
/// are noted by <see cref="OpeningSequence.NoteProgress"/>.</item>
/// <item>It ends once, by <see cref="OpeningSequence.Complete"/> or <see cref="OpeningSequence.Fail"/>, and returns at
/// once. To go on it passes <c>Sequence.Opened with { … }</c>: other end points, or in <see cref="Opened.Received"/>
/// the bytes that it has read too much. Features are added to <see cref="OpeningSequence.Facts"/>, and so is the
/// number of bytes that it has sent. A failure is an exception whose message begins with
/// <see cref="OpeningSequence.Prefix"/>.</item>
/// <item><see cref="End"/> gives back what the step holds. It is called once in any case: after its own end, a
/// time-out, the end of the reactor or an exception out of the step.</item>
/// </list>
/// <para>The sequence does the rest: the time limit, the limits on connections, the log, closing the handle.</para>
/// </remarks>
internal abstract class OpeningStep
{
    /// <summary>What the step does, for messages, such as "TLS handshake".</summary>
    public abstract string Name { get; }

    /// <summary>How long the step may take. Infinite is allowed.</summary>
    public abstract TimeSpan TimeLimit { get; }

    /// <summary>The sequence that the step belongs to. Set before <see cref="Begin"/>.</summary>
    public OpeningSequence Sequence { get; set; } = null!;

    /// <summary>Starts.</summary>
    public abstract void Begin();

    /// <summary>The handle is ready for something of <see cref="OpeningSequence.Interest"/>.</summary>
    public abstract void OnReady(Interest ready);

    /// <summary>Does at once what the loop has not come to yet: the time limit is over.</summary>
    public virtual void LookAgain()
    {
        if (Sequence.Interest != Interest.None)
        {
            OnReady(Sequence.Interest);
        }
    }

    /// <summary>Releases what the step holds. The handle is closed by others, or goes on.</summary>
    public virtual void End()
    {
    }
}
