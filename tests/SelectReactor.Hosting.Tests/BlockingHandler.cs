namespace SelectReactor.Hosting.Tests;

/// <summary>Blocks its loop as soon as a client has connected.</summary>
public sealed class BlockingHandler(BlockingHandler.Gate gate) : ConnectionHandler
{
    public override void OnConnected(Connection connection) => gate.Pass();

    public override void OnReadable(Connection connection)
    {
    }

    /// <summary>Closed until it is disposed of. What waits there gives up after longer than a test waits.</summary>
    public sealed class Gate : IDisposable
    {
        private readonly ManualResetEventSlim _reached = new();
        private readonly ManualResetEventSlim _open = new();

        public void Pass()
        {
            _reached.Set();
            _open.Wait(4 * TestHost.Bound);
        }

        public void WaitUntilReached() => Assert.That(_reached.Wait(TestHost.Bound), "nobody came");

        public void Dispose() => _open.Set();
    }
}
