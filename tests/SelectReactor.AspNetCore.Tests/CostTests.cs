using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace SelectReactor.AspNetCore.Tests;

/// <summary>What a message and an idle connection cost.</summary>
[TestFixture(TransportKind.Pool)]
[TestFixture(TransportKind.Inline)]
[NonParallelizable]
internal sealed class CostTests(TransportKind transport)
{
    private CountingPools _pools = null!;

    [SetUp]
    public void SetUp() => _pools = new CountingPools();

    [Test]
    public async Task A_steady_message_allocates_nothing()
    {
        const int Messages = 2000;
        await RunAsync(static client =>
        {
            Exchange(client, 2000);
            double least = double.MaxValue;

            // What the runtime allocates beside, for example when it compiles again, is not in every round.
            for (int round = 0; round < 5; round++)
            {
                long before = GC.GetTotalAllocatedBytes(precise: true);
                Exchange(client, Messages);
                least = Math.Min(least, (double)(GC.GetTotalAllocatedBytes(precise: true) - before) / Messages);
            }

            // The smallest object takes 24 bytes.
            Assert.That(least, Is.LessThan(16), "bytes for each message");
            return Task.CompletedTask;
        });
    }

    [Test]
    public async Task An_idle_connection_holds_no_buffer()
    {
        await RunAsync(async client =>
        {
            Exchange(client, 10);

            await Waiting.UntilAsync(
                () => _pools.Rented == 0, $"{_pools.Rented} blocks of the pipes are rented.");
        });
        Assert.That(_pools.Created, Is.EqualTo(2), "pools, one for each reactor");
        Assert.That(_pools.Disposed, Is.EqualTo(2));
    }

    private async Task RunAsync(Func<Socket, Task> test)
    {
        await using var server = WebServer.Create(new WebServerSettings(transport)
        {
            IsQuiet = true,
            Services = services => services.AddSingleton<IMemoryPoolFactory<byte>>(_pools),
        });
        IConnectionListenerFactory factory = server.Services.GetServices<IConnectionListenerFactory>().Last();
        await using IConnectionListener listener = await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0));
        Task<ConnectionContext?> accepting = listener.AcceptAsync().AsTask();

        // A socket that was never used asynchronously allocates nothing.
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(listener.EndPoint);
        ConnectionContext connection = (await accepting.Within())!;
        Task echoing = EchoAsync(connection);

        await test(client);

        client.Shutdown(SocketShutdown.Send);
        await echoing.Within();
        await connection.DisposeAsync();
    }

    private static async Task EchoAsync(ConnectionContext connection)
    {
        (PipeReader input, PipeWriter output) = (connection.Transport.Input, connection.Transport.Output);
        while (true)
        {
            ReadResult read = await input.ReadAsync();
            if (read.IsCompleted)
            {
                return;
            }

            output.Write(read.Buffer.FirstSpan);
            input.AdvanceTo(read.Buffer.End);
            await output.FlushAsync();
        }
    }

    private static void Exchange(Socket client, int messages)
    {
        Span<byte> message = stackalloc byte[100];
        client.ReceiveTimeout = (int)Waiting.Bound.TotalMilliseconds;
        for (int i = 0; i < messages; i++)
        {
            client.Send(message);
            for (int received = 0; received < message.Length;)
            {
                received += client.Receive(message);
            }
        }
    }

    private sealed class CountingPools : IMemoryPoolFactory<byte>
    {
        private int _rented;

        public int Rented => Volatile.Read(ref _rented);

        public int Created { get; private set; }

        public int Disposed { get; private set; }

        public MemoryPool<byte> Create(MemoryPoolOptions? options = null)
        {
            Created++;
            return new CountingPool(this);
        }

        private sealed class CountingPool(CountingPools pools) : MemoryPool<byte>
        {
            private readonly CountingPools _pools = pools;
            private readonly ConcurrentBag<Block> _free = [];

            public override int MaxBufferSize => 4096;

            public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
            {
                Interlocked.Increment(ref _pools._rented);
                return _free.TryTake(out Block? block) ? block : new Block(this);
            }

            protected override void Dispose(bool disposing) => _pools.Disposed++;

            private sealed class Block(CountingPool pool) : IMemoryOwner<byte>
            {
                public Memory<byte> Memory { get; } = new byte[4096];

                public void Dispose()
                {
                    Interlocked.Decrement(ref pool._pools._rented);
                    pool._free.Add(this);
                }
            }
        }
    }
}
