using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Tests.Dispatch;

/// <summary>Members for any thread, called while the loop ends on its own: the reactor's work is still done on one
/// thread.</summary>
public sealed class EndRaceTests
{
    private const int Rounds = 300;

    [Test]
    public void AListenerDisposedElsewhere_WhileTheReactorIs_ClosesOnTheReactorsThread()
    {
        for (int round = 0; round < Rounds; round++)
        {
            using var selector = new WaitingSelector();
            var handle = new ListeningHandle();
            var thread = new ReactorThread(new ReactorOptions
            {
                SelectorFactory = () => selector,
                HandleFactory = Mock.Of<IHandleFactory>(
                    factory => factory.CreateListener(It.IsAny<AddressFamily>()) == handle),
            });
            Task<(Listener Listener, int Thread)> listening = thread.Reactor.InvokeAsync(() => (
                thread.Reactor.Listen(new IPEndPoint(IPAddress.Loopback, 0), Mock.Of<IConnectionHandler>()),
                Environment.CurrentManagedThreadId));
            (Listener listener, int loop) = listening.GetAwaiter().GetResult();
            using var start = new Barrier(2);
            int spins = round % 100 * 5;
            var disposing = Task.Run(() =>
            {
                start.SignalAndWait();
                Thread.SpinWait(spins);
                listener.Dispose();
            });
            start.SignalAndWait();
            thread.Dispose();
            disposing.GetAwaiter().GetResult();

            Assert.That(handle.ClosedBy, Is.EqualTo(loop), $"round {round}");
        }
    }

    private sealed class ListeningHandle : Handle
    {
        public int ClosedBy { get; private set; }

        public override bool IsClosed => ClosedBy != 0;

        public override SocketError Bind(EndPoint localEndPoint) => SocketError.Success;

        public override SocketError Listen(int backlog) => SocketError.Success;

        public override void Close() => ClosedBy = Environment.CurrentManagedThreadId;
    }

    private sealed class WaitingSelector : ISelector
    {
        private readonly AutoResetEvent _woken = new(false);

        public void Add(SelectorEntry entry)
        {
        }

        public void Update(SelectorEntry entry, Interest previous)
        {
        }

        public void Remove(SelectorEntry entry)
        {
        }

        public void Select(TimeSpan wait, List<SelectorEntry> ready)
        {
            if (wait != TimeSpan.Zero)
            {
                _woken.WaitOne(TimeSpan.FromSeconds(20));
            }
        }

        public void Wake() => _woken.Set();

        public void Dispose()
        {
        }
    }
}
