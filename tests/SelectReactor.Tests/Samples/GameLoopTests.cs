using System.Net;
using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Samples;

[Platform("Linux,MacOsX")]
public sealed class GameLoopTests
{
    private const string Sample = "GameLoop";
    private const string Time = @"-?\d+\.\d ms \(worst \d+\.\d ms\)";

    [Test]
    public void BoundedGame_PlaysAllItsFrames_AndSumsUp()
    {
        (int exitCode, string output, string error) = SampleProcess.Run(Sample, "", "--bots", "30", "--seconds", "2");

        Assert.That((exitCode, error), Is.EqualTo((0, "")));
        string[] lines = output.TrimEnd().Split(Environment.NewLine);
        Assert.That(lines, Has.Length.EqualTo(4));
        Assert.That(lines[0], Does.StartWith("Listening on 127.0.0.1:"));
        Assert.That(lines[1], Does.StartWith("Frame 60: "));
        Assert.That(lines[2], Does.StartWith("Frame 120: "));
        Assert.That(lines[3], Does.Match(
            $"^Played 120 frames with [1-9]\\d* players: frames late by {Time}, bots by {Time}, "
            + @"\d+ states skipped\.$"));
        Assert.That(lines[3], Does.Not.Contain("bots by 0.0 ms (worst 0.0 ms)"), "the bots answer");
    }

    [TestCase("TERM")]
    [TestCase("INT")]
    public void Signal_EndsTheGame(string signal)
    {
        using var game = SampleProcess.Start(Sample, "--bots", "2", "--seconds", "0");
        game.ReadPort();

        game.Signal(signal);

        (int exitCode, string output, string error) = game.WaitForExit();
        Assert.That((exitCode, error), Is.EqualTo((0, "")));
        Assert.That(output, Does.Contain("Played "));
    }

    // A player of another program: 2 bytes of the first message are the number of players, here only this one.
    [Test]
    public void PlayerThatNeverAnswers_IsServed()
    {
        using var game = SampleProcess.Start(Sample, "--bots", "0", "--seconds", "0");
        using var player = Peer.Connect(new IPEndPoint(IPAddress.Loopback, game.ReadPort()));

        byte[] first = player.Receive(10);
        byte[] second = player.Receive(10);

        Assert.That((first[5], (byte)(second[3] - first[3])), Is.EqualTo(((byte)1, (byte)1)));
    }

    [Test]
    public void BusyPort_IsOneClearLine()
    {
        using Socket other = Peer.Listen();
        int port = ((IPEndPoint)other.LocalEndPoint!).Port;

        (int exitCode, string output, string error) = SampleProcess.Run(Sample, "", "--port", $"{port}");

        Assert.That((exitCode, output), Is.EqualTo((1, "")));
        Assert.That(error, Does.StartWith($"Can't listen on 127.0.0.1:{port}: "));
        Assert.That(error.Trim(), Does.Not.Contain("\n"));
    }

    [TestCase("--bots", "many")]
    [TestCase("--bots", "-1")]
    [TestCase("--seconds", "-1")]
    public void WrongNumber_IsNamed(string option, string value)
    {
        (int exitCode, _, string error) = SampleProcess.Run(Sample, "", option, value);

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(error, Does.Contain($"{option} takes a number from 0.").And.Not.Contains("   at "));
    }
}
