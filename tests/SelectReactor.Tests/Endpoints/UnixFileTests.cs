using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using SelectReactor.Selection;
using SelectReactor.Tests.Support;

namespace SelectReactor.Tests.Endpoints;

/// <summary>The files that Unix-domain sockets stand for: the library deletes its own, and abandoned sockets, and no
/// other.</summary>
public sealed class UnixFileTests(SelectorKind selector) : ReactorFixture(selector)
{
    private readonly ScriptedHandler _handler = new();
    private string _path = null!;

    private UnixDomainSocketEndPoint EndPoint => new(_path);

    [SetUp]
    public void ChoosePath()
    {
        _path = UnixFile.NewPath();
        _handler.Connections.Clear();
    }

    [TearDown]
    public void RemoveFile() => Run("rm", "-rf", _path);

    [TestCase("true > '{0}'", TestName = "EmptyFile_StaysWhereItIs")]
    [TestCase("echo precious > '{0}'", TestName = "File_StaysWhereItIs")]
    [TestCase("mkfifo '{0}'", TestName = "Pipe_StaysWhereItIs")]
    [TestCase("mkdir '{0}'", TestName = "Folder_StaysWhereItIs")]
    [TestCase("mknod '{0}' c 1 3", TestName = "Device_StaysWhereItIs")]
    [TestCase("mknod '{0}' c 240 77", TestName = "DeviceWithoutADriver_StaysWhereItIs")]
    [TestCase("ln -s '{0}.target' '{0}' && touch '{0}.target'", TestName = "Link_StaysWhereItIs")]
    public void OtherFiles_StayWhereTheyAre(string command)
    {
        Assume.That(OperatingSystem.IsLinux());
        Assume.That(
            Run("sh", "-c", string.Format(System.Globalization.CultureInfo.InvariantCulture, command, _path)),
            Is.True);
        string before = Describe();

        SocketException error = Assert.Throws<SocketException>(() => Reactor.Listen(EndPoint, _handler))!;

        Assert.That(error.SocketErrorCode, Is.EqualTo(SocketError.AddressAlreadyInUse));
        Assert.That(Describe(), Is.EqualTo(before));
        File.Delete($"{_path}.target");
    }

    [Test]
    public void FileThatSomebodyHoldsALockOn_StaysWhereItIs()
    {
        using var held = new FileStream(_path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);

        Assert.That(() => Reactor.Listen(EndPoint, _handler), Throws.InstanceOf<SocketException>());
        Assert.That(File.Exists(_path));
    }

    [Test]
    public void LinkToAnAbandonedSocket_StaysWhereItIs_AndSoDoesTheSocket()
    {
        string target = UnixFile.NewPath();
        UnixFile.Abandon(target);
        File.CreateSymbolicLink(_path, target);

        Assert.That(() => Reactor.Listen(EndPoint, _handler), Throws.InstanceOf<SocketException>());
        Assert.That(File.Exists(_path) && File.Exists(target));
        File.Delete(target);
    }

    [Test]
    public void OldListener_LeavesTheFileOfANewOne([Values] bool oldIsLast)
    {
        Listener old = Reactor.Listen(EndPoint, _handler);
        DateTime made = File.GetLastWriteTimeUtc(_path);
        File.Delete(_path);
        Listener young = ListenAfter(made);
        (oldIsLast ? young : old).Dispose();

        Assert.That(File.Exists(_path), Is.EqualTo(!oldIsLast));
        if (!oldIsLast)
        {
            using var peer = Peer.Connect(EndPoint);
            RunUntil(() => _handler.IsConnected);
        }

        (oldIsLast ? old : young).Dispose();
        Assert.That(File.Exists(_path), Is.False);
    }

    [Test]
    public void OldClient_ThatBoundAPath_LeavesTheFileOfAListenerThere()
    {
        string server = UnixFile.NewPath();
        using Listener listener = Reactor.Listen(new UnixDomainSocketEndPoint(server), _handler);
        Connection client = RunUntil(Reactor.ConnectAsync(
            listener.LocalEndPoint, new ScriptedHandler(), new ConnectOptions { LocalEndPoint = EndPoint }));
        DateTime made = File.GetLastWriteTimeUtc(_path);
        File.Delete(_path);
        using Listener young = ListenAfter(made);
        client.Abort();
        RunUntil(() => client.State == ConnectionState.Closed);

        Assert.That(File.Exists(_path));
    }

    [Test]
    public void HandleWhoseFileWasReplaced_ClosesItsDescriptor()
    {
        using Handle handle = SocketHandleFactory.Instance.CreateListener(AddressFamily.Unix);
        handle.Bind(EndPoint);
        DateTime made = File.GetLastWriteTimeUtc(_path);
        File.Delete(_path);
        File.WriteAllText(_path, "another");
        File.SetLastWriteTimeUtc(_path, made.AddSeconds(1));
        handle.Close();

        Assert.That(handle.IsClosed);
        Assert.That(handle.LocalEndPoint, Is.Null);
        Assert.That(handle.Listen(1), Is.EqualTo(SocketError.OperationAborted));
        Assert.That(File.ReadAllText(_path), Is.EqualTo("another"));
    }

    // The times of files advance in steps: two that are made in one of them look alike.
    private Listener ListenAfter(DateTime made)
    {
        while (true)
        {
            Listener listener = Reactor.Listen(EndPoint, _handler);
            if (File.GetLastWriteTimeUtc(_path) != made)
            {
                return listener;
            }

            listener.Dispose();
        }
    }

    private string Describe() =>
        $"{new FileInfo(_path).Attributes} {File.GetLastWriteTimeUtc(_path).Ticks} {new FileInfo(_path).LinkTarget}";

    private static bool Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
