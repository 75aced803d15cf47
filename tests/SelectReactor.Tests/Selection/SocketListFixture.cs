using System.Collections;
using System.Net.Sockets;
using SelectReactor.Selection;

namespace SelectReactor.Tests.Selection;

/// <summary>A list that a select empties, with sockets for it.</summary>
public abstract class SocketListFixture(bool forWriting)
{
    internal List<SocketHandle> Handles { get; } = [];

    internal SocketList Listed { get; private set; } = null!;

    protected IList View => Listed;

    protected bool IsForWriting => forWriting;

    [OneTimeSetUp]
    public void OpenSockets()
    {
        for (int i = 0; i < 40; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            Handles.Add(new SocketHandle(socket));
        }
    }

    [OneTimeTearDown]
    public void CloseSockets() => Handles.ForEach(static handle => handle.Dispose());

    [SetUp]
    public void MakeList() => Listed = new SocketList(forWriting);
}
