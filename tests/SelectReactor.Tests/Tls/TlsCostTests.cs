using System.Net.Security;
using System.Security.Authentication;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Tls;

/// <summary>What a TLS message costs in allocations on the loop's thread.</summary>
public sealed class TlsCostTests(SelectorKind selector) : TlsFixture(selector)
{
    private const int Messages = 500;

    [TestCase(SslProtocols.Tls12, 32)]
    [TestCase(SslProtocols.Tls13, 32)]
    [TestCase(SslProtocols.Tls13, 4_096)]
    [TestCase(SslProtocols.Tls13, 100_000)]
    public void SteadyMessage_AllocatesNothing(SslProtocols protocol, int size)
    {
        Handler.Readable = static connection =>
        {
            if (connection.Input.TryRead(out System.IO.Pipelines.ReadResult result))
            {
                connection.Append(result.Buffer);
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        };
        (SslStream ssl, _) = Connect(Listen(), protocol);
        byte[] message = new byte[size];
        Exchange(ssl, message);
        long least = Allocations.Least(() =>
        {
            using var mayBegin = new ManualResetEventSlim();
            var talking = Task.Run(() =>
            {
                byte[] answer = new byte[size];
                mayBegin.Wait();
                for (int i = 0; i < Messages; i++)
                {
                    ssl.Write(message);
                    ssl.ReadExactly(answer);
                }
            });
            Handler.Events.Clear();
            Handler.Events.EnsureCapacity(100_000);
            long bytes = Allocations.Of(() =>
            {
                mayBegin.Set();
                while (!talking.IsCompleted)
                {
                    Reactor.RunOnce(TimeSpan.FromMilliseconds(10));
                }
            });
            talking.GetAwaiter().GetResult();
            return bytes;
        });

        Assert.That(least, Is.Zero, $"bytes for {Messages} messages");
    }
}
