using System.IO.Compression;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Connections;

/// <summary>Libraries that want a stream, in a handler and in a client, with and without a context. The other side is
/// a blocking program.</summary>
public sealed class ConnectionStreamLibraryTests(SelectorKind selector) : StreamFixture(selector)
{
    private static readonly string[] _lines = [.. Enumerable.Range(0, 2_000).Select(static i => $"line {i}: {i * i}")];
    private static readonly byte[] _text = Encoding.UTF8.GetBytes(string.Join('\n', _lines));

    /// <summary>Which side of the connection the library's is.</summary>
    public enum Side
    {
        Handler,
        Client,
    }

    [Test]
    public void ReaderAndWriter_OfLines([Values] Side side, [Values] bool configured) => Play(
        side,
        async (stream, check) =>
        {
            using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
            await using var writer = new StreamWriter(stream, leaveOpen: true);
            while (await reader.ReadLineAsync().ConfigureAwait(configured) is { } line)
            {
                check();
                await writer.WriteLineAsync(line.ToUpperInvariant()).ConfigureAwait(configured);
                check();
                await writer.FlushAsync().ConfigureAwait(configured);
                check();
            }
        },
        peer =>
        {
            using var writer = new StreamWriter(peer);
            using var reader = new StreamReader(peer);
            writer.AutoFlush = true;
            foreach (string line in _lines.Take(200))
            {
                writer.Write(line[..3]);
                writer.Write(line[3..] + "\n");
                Assert.That(reader.ReadLine(), Is.EqualTo(line.ToUpperInvariant()));
            }
        });

    // A writer that is disposed synchronously writes and flushes on the loop.
    [Test]
    public void SynchronousWriters_OnTheLoop([Values] Side side) => Play(
        side,
        async (stream, check) =>
        {
            byte[] all = await ReadToEndAsync(stream);
            using (var writer = new StreamWriter(stream, leaveOpen: true))
            {
                writer.Write(Encoding.UTF8.GetString(all));
            }

            using (var zip = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true))
            {
                zip.Write(all);
            }

            check();
        },
        peer =>
        {
            peer.Write(_text);
            peer.Socket.Shutdown(SocketShutdown.Send);
            byte[] plain = new byte[_text.Length];
            peer.ReadExactly(plain);
            Assert.That(plain.AsSpan().SequenceEqual(_text));
            using var zip = new GZipStream(peer, CompressionMode.Decompress);
            Assert.That(ReadToEnd(zip).AsSpan().SequenceEqual(_text));
        });

    [Test]
    public void Json([Values] Side side, [Values] bool configured) => Play(
        side,
        async (stream, check) =>
        {
            string[]? lines = await JsonSerializer.DeserializeAsync<string[]>(stream).ConfigureAwait(configured);
            check();
            await JsonSerializer.SerializeAsync(stream, lines!.Reverse()).ConfigureAwait(configured);
            check();
        },
        peer =>
        {
            JsonSerializer.Serialize(peer, _lines);
            peer.Socket.Shutdown(SocketShutdown.Send);
            Assert.That(JsonSerializer.Deserialize<string[]>(peer), Is.EqualTo(_lines.Reverse()));
        });

    [Test]
    public void GZip([Values] Side side, [Values] bool configured) => Play(
        side,
        async (stream, check) =>
        {
            byte[] all;
            await using (var unzip = new GZipStream(stream, CompressionMode.Decompress, leaveOpen: true))
            {
                all = await ReadToEndAsync(unzip).ConfigureAwait(configured);
                check();
            }

            await using (var zip = new GZipStream(stream, CompressionMode.Compress, leaveOpen: true))
            {
                await zip.WriteAsync(all).ConfigureAwait(configured);
                check();
                await zip.FlushAsync().ConfigureAwait(configured);
                check();
            }

            check();
        },
        peer =>
        {
            using (var zip = new GZipStream(peer, CompressionMode.Compress, leaveOpen: true))
            {
                zip.Write(_text);
            }

            peer.Socket.Shutdown(SocketShutdown.Send);
            using var unzip = new GZipStream(peer, CompressionMode.Decompress);
            Assert.That(ReadToEnd(unzip).AsSpan().SequenceEqual(_text));
        });

    [Test]
    public void BufferedStream([Values] Side side, [Values] bool configured) => Play(
        side,
        async (stream, check) =>
        {
            // One for each direction, since it doesn't write while it has read ahead on a stream without a position.
            var reader = new BufferedStream(stream, 1_000);
            await using var writer = new BufferedStream(stream, 1_000);
            byte[] number = new byte[4];
            for (int i = 0; i < 1_000; i++)
            {
                await reader.ReadExactlyAsync(number).ConfigureAwait(configured);
                check();
                number.AsSpan().Reverse();
                await writer.WriteAsync(number).ConfigureAwait(configured);
                check();
                if (i % 10 == 9)
                {
                    await writer.FlushAsync().ConfigureAwait(configured);
                    check();
                }
            }
        },
        peer =>
        {
            byte[] sent = new byte[40];
            for (int i = 0; i < 100; i++)
            {
                new Random(i).NextBytes(sent);
                peer.Write(sent);
                byte[] received = new byte[40];
                peer.ReadExactly(received);
                Assert.That(received.Chunk(4).SelectMany(static four => four.Reverse()), Is.EqualTo(sent));
            }
        });

    [Test]
    public void CopyTo_AndFrom([Values] Side side, [Values] bool configured) => Play(
        side,
        async (stream, check) =>
        {
            using var memory = new MemoryStream();
            await stream.CopyToAsync(memory).ConfigureAwait(configured);
            check();
            memory.Position = 0;
            await memory.CopyToAsync(stream).ConfigureAwait(configured);
            check();
        },
        peer =>
        {
            peer.Write(_text);
            peer.Socket.Shutdown(SocketShutdown.Send);
            Assert.That(ReadToEnd(peer).AsSpan().SequenceEqual(_text));
        });

    [Test]
    public void CopyBack_OfManyBytes_InBoundedMemory([Values] Side side)
    {
        const int Count = 64 * 1024 * 1024;
        long mostQueued = 0;
        int mostSegments = 0;
        Play(
            side,
            async (stream, check) =>
            {
                await stream.CopyToAsync(stream).ConfigureAwait(false);
                check();
            },
            peer =>
            {
                byte[] sent = Noise(Count);
                byte[] received = new byte[Count];
                var sending = Task.Run(() =>
                {
                    peer.Write(sent);
                    peer.Socket.Shutdown(SocketShutdown.Send);
                });
                peer.ReadExactly(received);
                Assert.That(peer.ReadByte(), Is.EqualTo(-1));
                sending.Wait();
                Assert.That(received.AsSpan().SequenceEqual(sent));
            },
            connection =>
            {
                mostQueued = Math.Max(mostQueued, connection.QueuedOutputBytes);
                mostSegments = Math.Max(mostSegments, Reactor.Buffers.Outstanding);
            });

        Assert.That(mostQueued, Is.LessThanOrEqualTo(192 * 1024));
        Assert.That(mostSegments, Is.LessThan(200));
    }

    // The reader and the writer are two asynchronous methods on one stream.
    [Test]
    public void ReaderAndWriter_AtTheSameTime([Values] Side side, [Values] bool configured)
    {
        byte[] outgoing = Noise(8_000_000, 1);
        byte[] incoming = Noise(8_000_000, 2);
        Play(
            side,
            async (stream, check) =>
            {
                await Task.WhenAll(ReadAsync(), WriteAsync()).ConfigureAwait(configured);
                check();

                async Task ReadAsync()
                {
                    byte[] received = new byte[incoming.Length];
                    await stream.ReadExactlyAsync(received).ConfigureAwait(configured);
                    check();
                    Assert.That(received.AsSpan().SequenceEqual(incoming));
                }

                async Task WriteAsync()
                {
                    foreach (byte[] piece in outgoing.Chunk(10_000))
                    {
                        await stream.WriteAsync(piece).ConfigureAwait(configured);
                        check();
                    }
                }
            },
            peer =>
            {
                var sending = Task.Run(() => peer.Write(incoming));
                Assert.That(ReadToEnd(peer).AsSpan().SequenceEqual(outgoing));
                sending.Wait();
            });
    }

    [Test]
    public void EndInTheMiddle_IsNoticedByTheReader([Values] Side side, [Values] bool isReset)
    {
        Exception? error = null;
        Play(
            side,
            async (stream, _) =>
            {
                await stream.WriteAsync("go"u8.ToArray());
                try
                {
                    await stream.ReadExactlyAsync(new byte[1_000]);
                }
                catch (IOException exception)
                {
                    error = exception;
                }
            },
            peer =>
            {
                peer.ReadExactly(new byte[2]);
                peer.Write(new byte[500]);
                if (isReset)
                {
                    peer.Socket.LingerState = new LingerOption(true, 0);
                }

                peer.Socket.Dispose();
            });

        Assert.That(error, isReset ? Is.TypeOf<IOException>() : Is.TypeOf<EndOfStreamException>());
    }

    private static byte[] ReadToEnd(Stream stream)
    {
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return memory.ToArray();
    }

    private static async Task<byte[]> ReadToEndAsync(Stream stream)
    {
        using var memory = new MemoryStream();
        await stream.CopyToAsync(memory).ConfigureAwait(false);
        return memory.ToArray();
    }

    /// <summary>Lets the two sides talk until both have ended. The library's side gets a check that it is on the
    /// reactor's thread.</summary>
    private void Play(
        Side side, Func<Stream, Action, Task> play, Action<PeerStream> playPeer, Action<Connection>? watch = null)
    {
        Connection? connection = null;
        Task? playing = null;
        Peer peer;
        if (side == Side.Handler)
        {
            Listener listener = Own(Reactor.Listen(AnyPort, new ServeHandler(PlayAsync)));
            peer = Own(Peer.Connect(listener.LocalEndPoint));
        }
        else
        {
            using Socket listener = Peer.Listen();
            RunOnLoop(async () => _ = PlayAsync(await Reactor.ConnectAsync(listener.LocalEndPoint!)));
            peer = Own(Peer.Accept(listener));
        }

        using var stream = new PeerStream(peer.Socket);
        var peerTask = Task.Run(() =>
        {
            playPeer(stream);
            stream.Dispose();
        });
        RunUntil(
            () =>
            {
                if (connection is not null)
                {
                    watch?.Invoke(connection);
                }

                return peerTask.IsCompleted && playing is { IsCompleted: true };
            },
            "the end of both sides");
        RunUntil(playing!);
        RunUntil(peerTask);
        RunUntil(connection!.Completion);

        Task PlayAsync(Connection given)
        {
            connection = given;
            return playing = UseAsync(given);
        }

        async Task UseAsync(Connection given)
        {
            using Stream own = given.AsStream();
            await play(own, () => Assert.That(Reactor.IsReactorThread, "left the reactor's thread"));
        }
    }

    private sealed class PeerStream(Socket socket) : NetworkStream(socket, ownsSocket: false)
    {
        public new Socket Socket => base.Socket;

        protected override void Dispose(bool disposing)
        {
            // Only the end of the output, if that has not come before.
            if (Socket.Connected)
            {
                Socket.Shutdown(SocketShutdown.Send);
            }

            base.Dispose(disposing);
        }
    }
}
