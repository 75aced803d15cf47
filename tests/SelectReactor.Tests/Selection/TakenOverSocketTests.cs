using System.Net.Sockets;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Selection;

/// <summary>Sockets that somebody else has opened, and their options.</summary>
public sealed class TakenOverSocketTests : SelectorFixture
{
    [Test]
    public void ALingerTime_OfASocketThatIsTakenOver_IsRemoved()
    {
        using Socket listener = Peer.Listen();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(EndPointOf(listener));
        socket.LingerState = new LingerOption(true, 60);

        Own(new SocketHandle(socket));

        Assert.That(socket.LingerState!.Enabled, Is.False);
    }

    [Test]
    public void ALingerTime_OfAListenerThatIsTakenOver_ReachesNoConnection([Values] bool waitsAlready)
    {
        Socket listener = Peer.Listen();
        listener.LingerState = new LingerOption(true, 60);
        if (waitsAlready)
        {
            Own(Peer.Connect(EndPointOf(listener)));
        }

        SocketHandle handle = Own(new SocketHandle(listener));
        if (!waitsAlready)
        {
            Own(Peer.Connect(EndPointOf(listener)));
        }

        Assert.That(listener.Poll(Bound, SelectMode.SelectRead));
        Assert.That(handle.Accept(out Handle? accepted), Is.EqualTo(SocketError.Success));
        Own(accepted!);
        Assert.That(((SocketHandle)accepted!).Socket.LingerState!.Enabled, Is.False);
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void TheFileOfAnotherServer_AtThePathOfASocketThatIsTakenOver_IsLeft()
    {
        string path = UnixFile.NewPath();
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        var handle = new SocketHandle(socket);
        DateTime made = File.GetLastWriteTimeUtc(path);
        File.Delete(path);
        File.WriteAllText(path, "another");
        File.SetLastWriteTimeUtc(path, made.AddSeconds(1));

        handle.Close();

        Assert.That(handle.IsClosed);
        Assert.That(File.ReadAllText(path), Is.EqualTo("another"));
        File.Delete(path);
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void ItsOwnFile_IsDeleted_WhenASocketThatWasTakenOverIsClosed()
    {
        string path = UnixFile.NewPath();
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));

        new SocketHandle(socket).Close();

        Assert.That(File.Exists(path), Is.False);
    }
}
