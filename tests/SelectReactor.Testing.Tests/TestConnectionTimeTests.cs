using SelectReactor.Testing.Tests.Support;

namespace SelectReactor.Testing.Tests;

public sealed class TestConnectionTimeTests
{
    private static readonly TimeSpan _second = TimeSpan.FromSeconds(1);

    [Test]
    public void Advance_RunsTimersAtTheirMoments()
    {
        TimeSpan[] firedAt = [];
        TestConnection connection = null!;
        using var made = connection = new TestConnection(new Script
        {
            Connected = opened => opened.Reactor.SchedulePeriodic(
                _second, _second, () => firedAt = [.. firedAt, connection.Clock.Elapsed]),
        });
        connection.Advance(3.5 * _second);

        Assert.That(firedAt, Has.Length.EqualTo(3));
        Assert.That(firedAt, Is.EqualTo([_second, 2 * _second, 3 * _second]));
        Assert.That(connection.Clock.Elapsed, Is.EqualTo(3.5 * _second));
        Assert.That(() => connection.Advance(-_second), Throws.InstanceOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void Advance_ToATimeOut_ClosesTheConnection()
    {
        var options = new ConnectionOptions { ReadIdleTimeout = 30 * _second };
        using var connection = new TestConnection(new Echo(), options);
        connection.Advance(20 * _second);
        connection.Receive("x"u8);
        connection.Advance(29.9 * _second);
        Assert.That(connection.IsClosed, Is.False);

        connection.Advance(0.1 * _second);
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.TimedOut));
        Assert.That(connection.CloseReason!.Value.Error, Is.InstanceOf<TimeoutException>());
    }

    [Test]
    public void Leap_LetsWhatWasDueHappen_InRun()
    {
        using var connection = new TestConnection(
            new Echo(), new ConnectionOptions { ReadIdleTimeout = 30 * _second });
        connection.Clock.Leap(TimeSpan.FromHours(1));
        connection.Run();

        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.TimedOut));
    }

    [Test]
    public void Close_InATimer_IsAnsweredAtOnce()
    {
        var script = new Script { Connected = static opened => opened.Reactor.Schedule(_second, opened.Close) };
        using var connection = new TestConnection(script);
        TimeSpan? closedAt = null;
        connection.Connection.ConnectionClosed.Register(() => closedAt = connection.Clock.Elapsed);
        connection.Advance(60 * _second);

        Assert.That(closedAt, Is.EqualTo(_second));
        Assert.That(connection.IsOutputEnded, Is.True);
    }

    [Test]
    public void Peer_ReadsWhileTimePasses()
    {
        using var connection = new TestConnection(new Script
        {
            Connected = static opened => opened.Reactor.SchedulePeriodic(
                _second, _second, () => opened.TryWrite(new byte[100_000])),
        });
        connection.Advance(100.5 * _second);

        Assert.That(connection.TakeSent(), Has.Length.EqualTo(10_000_000));
    }

    [Test]
    public void AsyncHandler_AnswersAndCloses()
    {
        using var connection = new TestConnection(new Greeter(TimeSpan.Zero));
        Assert.That(connection.TakeSentText(), Is.EqualTo("Who? "));

        connection.ReceiveInPieces("Ada\n"u8, 1);
        Assert.That(connection.TakeSentText(), Is.EqualTo("Hello, Ada!"));
        Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.Local));
    }

    [Test]
    public void AsyncHandler_ThatWaits_WaitsOnTheClock()
    {
        using var connection = new TestConnection(new Greeter(_second));
        connection.Receive("Ada\n"u8);
        Assert.That(connection.TakeSentText(), Is.EqualTo("Who? "));

        connection.Advance(_second);
        Assert.That(connection.TakeSentText(), Is.EqualTo("Hello, Ada!"));
    }

    [Test]
    public void ChainOfDelays_EndsAfterTheirSum()
    {
        var script = new Script { Connected = Count };
        using var connection = new TestConnection(script);
        connection.Advance(_second);
        connection.Advance(9 * _second);
        Assert.That(connection.TakeSentText(), Is.EqualTo("0123456789"));

        async void Count(Connection opened)
        {
            for (char digit = '0'; digit <= '9'; digit++)
            {
                await Task.Delay(_second, opened.Reactor.TimeProvider);
                opened.TryWrite([(byte)digit]);
            }
        }
    }

    [Test]
    public void AsyncHandler_SeesTheEnd_AndTheReset()
    {
        using (var connection = new TestConnection(new Greeter(TimeSpan.Zero)))
        {
            connection.EndInput();
            Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.PeerClosed));
        }

        using (var connection = new TestConnection(new Greeter(TimeSpan.Zero)))
        {
            connection.Reset();
            Assert.That(connection.CloseReason!.Value.Kind, Is.EqualTo(CloseKind.PeerReset));
        }
    }

    [Test]
    public void TaskThatTheTestCompletes_LetsTheHandlerGoOn_InRun()
    {
        var answer = new TaskCompletionSource<string>();
        var script = new Script { Connected = Answer };
        using var connection = new TestConnection(script);
        answer.SetResult("42");
        Assert.That(connection.TakeSentText(), Is.Empty);

        connection.Run();
        Assert.That(connection.TakeSentText(), Is.EqualTo("42"));

        async void Answer(Connection opened) => opened.TryWrite(System.Text.Encoding.UTF8.GetBytes(await answer.Task));
    }
}
