using System.Globalization;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Dispatch;

/// <summary>Nothing that a callback leaves behind on the thread reaches the next one.</summary>
public sealed class AmbientStateTests(SelectorKind selector) : ReactorFixture(selector)
{
    private static readonly AsyncLocal<string?> _local = new();
    private readonly List<(string? Local, string Culture, bool IsSuppressed, bool HasContext)> _seen = [];

    public enum Where
    {
        Post,
        Timer,
        EventHandler,
        Handler,
        Resumed,
    }

    [SetUp]
    public void Clear() => _seen.Clear();

    [Test]
    public void ACallback_StartsFromTheStateOfTheCallerOfTheLoop([Values] Where where)
    {
        _local.Value = "the caller's";
        CultureInfo culture = CultureInfo.CurrentCulture;
        for (int i = 1; i <= 2; i++)
        {
            Arrange(where, SeeAndChange);
            RunUntil(() => _seen.Count == i);
        }

        Assert.That(_seen, Is.EqualTo(Enumerable.Repeat(("the caller's", culture.Name, false, true), 2)));
        Assert.That(_local.Value, Is.EqualTo("the caller's"));
        Assert.That(CultureInfo.CurrentCulture, Is.EqualTo(culture));
        _local.Value = null;
    }

    [Test]
    public void ACallbackThatThrows_LeavesNothingBehindEither()
    {
        Reactor.Post(() =>
        {
            SeeAndChange();
            throw new InvalidDataException();
        });
        Reactor.Post(SeeAndChange);
        Reactor.RunOnce(TimeSpan.Zero);

        Assert.That(
            _seen, Is.EqualTo(Enumerable.Repeat(((string?)null, CultureInfo.CurrentCulture.Name, false, true), 2)));
    }

    [Test]
    public void AFlowThatTheCallerSuppressed_FlowsInCallbacks_AndIsSuppressedAgainAfterwards()
    {
        using (ExecutionContext.SuppressFlow())
        {
            Reactor.Post(SeeAndChange);
            Reactor.RunOnce(TimeSpan.Zero);

            Assert.That(_seen.Select(static one => one.IsSuppressed), Is.EqualTo(new[] { false }));
            Assert.That(ExecutionContext.IsFlowSuppressed());
        }
    }

    [Test]
    public void InvokeAsync_RunsInTheStateOfItsCaller_AndAPostDoesNot()
    {
        var calling = Task.Run(async () =>
        {
            _local.Value = "the other thread's";
            string? posted = "nothing";
            Reactor.Post(() => posted = _local.Value);
            string? invoked = await Reactor.InvokeAsync(static () => _local.Value);
            return (posted, invoked);
        });

        Assert.That(RunUntil(calling), Is.EqualTo(((string?)null, "the other thread's")));
    }

    private void SeeAndChange()
    {
        _seen.Add((
            _local.Value,
            CultureInfo.CurrentCulture.Name,
            ExecutionContext.IsFlowSuppressed(),
            SynchronizationContext.Current == Reactor.SynchronizationContext));
        _local.Value = "left behind";
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("tr-TR");
        SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
        ExecutionContext.SuppressFlow();
    }

    private void Arrange(Where where, Action callback)
    {
        switch (where)
        {
            case Where.Post:
                Reactor.Post(callback);
                break;
            case Where.Timer:
                Reactor.Schedule(TimeSpan.Zero, callback);
                break;
            case Where.EventHandler:
                var handle = new SocketHandle(
                    new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
                var handler = new Mock<IEventHandler>();
                handler.Setup(static mock => mock.OnReady(It.IsAny<SelectionKey>())).Callback<SelectionKey>(key =>
                {
                    key.Cancel();
                    handle.Close();
                    callback();
                });
                Reactor.Register(handle, Interest.Write, handler.Object);
                break;
            case Where.Handler:
                Listener listener = Reactor.Listen(AnyPort, new ScriptedHandler { Connected = _ => callback() });
                Peer.Connect(listener.LocalEndPoint).Dispose();
                break;
            case Where.Resumed:
                var resumable = new Mock<SelectReactor.Dispatch.IResumable>();
                resumable.Setup(static mock => mock.Resume()).Callback(callback);
                Reactor.ResumeLater(resumable.Object);
                break;
        }
    }
}
