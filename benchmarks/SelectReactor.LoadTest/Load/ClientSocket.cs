namespace SelectReactor.LoadTest.Load;

/// <summary>Opens the generator's sockets, and checks that the server echoes before anything is measured.</summary>
internal static class ClientSocket
{
    private const uint Loopback = 0x7f000001;

    // So that the queue of connections that wait to be accepted never overflows.
    private const int GroupSize = 64;
    private const int PatternBytes = 16 * 1024;
    private const int BoundSeconds = 10;

    // Ephemeral ports run short at about 28,000 for one pair of addresses.
    private const int SourceAddresses = 200;

    /// <summary>Opens connections, sends a message through each and compares what comes back: then they are all
    /// accepted, and the server works. They are left non-blocking.</summary>
    public static int[] OpenChecked(int port, int count)
    {
        if (Libc.OpenFileLimit < count + 100)
        {
            throw new LoadTestException(
                $"{count} connections need {count + 100} open files; the limit is {Libc.OpenFileLimit} (ulimit -n).");
        }

        byte[] pattern = CreatePattern(PatternBytes);
        byte[] reply = new byte[PatternBytes];
        int[] descriptors = new int[count];
        for (int start = 0; start < count; start += GroupSize)
        {
            Span<int> group = descriptors.AsSpan(start, Math.Min(GroupSize, count - start));
            foreach (ref int descriptor in group)
            {
                descriptor = Connect(port);
            }

            CheckEcho(group, pattern.AsSpan(start % 251, 32), reply);
        }

        CheckEcho(descriptors.AsSpan(0, 1), pattern, reply);
        foreach (int descriptor in descriptors)
        {
            Check(Libc.SetNonBlocking(descriptor), "fcntl");
        }

        return descriptors;
    }

    /// <summary>A UDP socket with the server as its peer, non-blocking. The server has answered it once.</summary>
    public static int OpenDatagram(int port)
    {
        int descriptor = Check(Libc.DatagramSocket(), "socket");
        Check(
            Libc.SetOption(descriptor, Libc.SocketLevel, Libc.ReceiveTimeout, ((long)BoundSeconds, 0L)), "setsockopt");
        Check(Libc.Connect(descriptor, Loopback, port), "connect");
        CheckEcho([descriptor], CreatePattern(64), new byte[64]);
        Check(Libc.SetNonBlocking(descriptor), "fcntl");
        return descriptor;
    }

    /// <summary>Begins to connect without waiting.</summary>
    public static int BeginConnect(int port) =>
        StartConnect(Check(Libc.Socket(Libc.NonBlocking), "socket"), port);

    /// <summary>Begins to connect without waiting, from one of many source addresses.</summary>
    public static int BeginConnectFrom(int number, int port)
    {
        int descriptor = Check(Libc.Socket(Libc.NonBlocking), "socket");
        Check(Libc.SetOption(descriptor, Libc.Ip, Libc.BindAddressNoPort, 1), "setsockopt");
        Check(Libc.Bind(descriptor, Loopback + 1 + (uint)(number % SourceAddresses)), "bind");
        return StartConnect(descriptor, port);
    }

    /// <summary>Sends a message on a socket that may still be connecting.</summary>
    /// <returns>False if it is.</returns>
    public static bool TrySend(int descriptor, ReadOnlySpan<byte> message)
    {
        nint sent = Libc.Send(descriptor, message);
        if (sent != message.Length && (sent >= 0 || Libc.LastError != Libc.Again))
        {
            throw new LoadTestException($"connect and send: {Libc.LastErrorText}");
        }

        return sent == message.Length;
    }

    /// <summary>Receives what has come, on a connection that the server must not end.</summary>
    /// <returns>Zero if nothing has come.</returns>
    public static int Receive(int descriptor, Span<byte> buffer)
    {
        nint received = Libc.Receive(descriptor, buffer);
        if (received > 0)
        {
            return (int)received;
        }

        return received < 0 && Libc.LastError == Libc.Again
            ? 0
            : throw new LoadTestException(
                received == 0 ? "the server closed a connection" : $"recv: {Libc.LastErrorText}");
    }

    /// <summary>Closes with a reset, which leaves no socket behind in TIME_WAIT.</summary>
    public static void Reset(ReadOnlySpan<int> descriptors)
    {
        foreach (int descriptor in descriptors)
        {
            Check(Libc.SetOption(descriptor, Libc.SocketLevel, Libc.Linger, (1, 0)), "setsockopt");
            Check(Libc.Close(descriptor), "close");
        }
    }

    /// <summary>Bytes that differ from place to place, so that lost, doubled or reordered ones are seen.</summary>
    public static byte[] CreatePattern(int length)
    {
        byte[] pattern = new byte[length];
        new Random(1).NextBytes(pattern);
        return pattern;
    }

    public static int Check(int result, string call) =>
        result >= 0 ? result : throw new LoadTestException($"{call}: {Libc.LastErrorText}");

    private static int StartConnect(int descriptor, int port)
    {
        if (Libc.Connect(descriptor, Loopback, port) < 0 && Libc.LastError != Libc.InProgress)
        {
            throw new LoadTestException($"connect: {Libc.LastErrorText}");
        }

        return descriptor;
    }

    private static int Connect(int port)
    {
        int descriptor = Check(Libc.Socket(0), "socket");
        (long, long) bound = (BoundSeconds, 0);
        Check(Libc.SetOption(descriptor, Libc.SocketLevel, Libc.SendTimeout, bound), "setsockopt");
        Check(Libc.SetOption(descriptor, Libc.SocketLevel, Libc.ReceiveTimeout, bound), "setsockopt");
        Check(Libc.SetOption(descriptor, Libc.Tcp, Libc.NoDelay, 1), "setsockopt");
        Check(Libc.Connect(descriptor, Loopback, port), "connect");
        return descriptor;
    }

    private static void CheckEcho(ReadOnlySpan<int> descriptors, ReadOnlySpan<byte> message, Span<byte> reply)
    {
        foreach (int descriptor in descriptors)
        {
            if (Libc.Send(descriptor, message) != message.Length)
            {
                throw new LoadTestException($"send: {Libc.LastErrorText}");
            }
        }

        foreach (int descriptor in descriptors)
        {
            Span<byte> expected = reply[..message.Length];
            for (int got = 0; got < message.Length;)
            {
                nint now = Libc.Receive(descriptor, expected[got..]);
                if (now <= 0)
                {
                    throw new LoadTestException(now == 0
                        ? "the server closed the connection"
                        : $"the server does not echo: {Libc.LastErrorText}");
                }

                got += (int)now;
            }

            if (!expected.SequenceEqual(message))
            {
                throw new LoadTestException("the server sends back other bytes than it got");
            }
        }
    }
}
