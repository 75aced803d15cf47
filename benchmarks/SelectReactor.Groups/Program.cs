// Groups of reactors: an echo server for a load generator, and how clients are spread over the reactors.
//   serve REACTORS SHARING MICROSECONDS   prints its port and serves; each message costs so much computing, too
//   spread REACTORS CONNECTIONS           prints for each way to share how many connections each reactor has
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using SelectReactor;

return args switch
{
    ["serve", var reactors, var sharing, var work] =>
        await ServeAsync(Number(reactors), Enum.Parse<ClientSharing>(sharing), Number(work)),
    ["spread", var reactors, var connections] => await SpreadAsync(Number(reactors), Number(connections)),
    _ => Usage(),
};

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

static int Usage()
{
    Console.Error.WriteLine("serve REACTORS SHARING MICROSECONDS | spread REACTORS CONNECTIONS");
    return 2;
}

static ReactorGroup Create(int reactors, ClientSharing sharing) =>
    new(reactors, new ReactorGroupOptions { Sharing = sharing }.UseEpoll());

static Task<GroupListener> ListenAsync(ReactorGroup group, int work) => group.ListenAsync(
    new IPEndPoint(IPAddress.Loopback, 0),
    new EchoHandler(TimeSpan.FromMicroseconds(work)),
    new ListenerOptions { Backlog = 4096 });

static async Task<int> ServeAsync(int reactors, ClientSharing sharing, int work)
{
    using ReactorGroup group = Create(reactors, sharing);
    using GroupListener listener = await ListenAsync(group, work);
    Console.WriteLine(((IPEndPoint)listener.LocalEndPoint).Port);
    await group.Completion;
    return 0;
}

static async Task<int> SpreadAsync(int reactors, int connections)
{
    foreach (ClientSharing sharing in Enum.GetValues<ClientSharing>())
    {
        using ReactorGroup group = Create(reactors, sharing);
        using GroupListener listener = await ListenAsync(group, work: 0);
        var clients = new List<Socket>(connections);
        long start = Stopwatch.GetTimestamp();
        while (clients.Count < connections)
        {
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(listener.LocalEndPoint);
            clients.Add(client);
        }

        while (listener.Accepted < connections)
        {
            await Task.Delay(1);
        }

        TimeSpan time = Stopwatch.GetElapsedTime(start);
        Console.WriteLine(
            $"{sharing,-17} {string.Join(" ", group.Statistics.ConnectionsOfReactors)}  "
            + $"({time.TotalMilliseconds:F0} ms)");

        // Reset, so that no port waits.
        clients.ForEach(static client => client.Close(timeout: 0));
    }

    return 0;
}

internal sealed class EchoHandler(TimeSpan work) : ConnectionHandler
{
    public override void OnReadable(Connection connection)
    {
        if (connection.Input.TryRead(out var result))
        {
            for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < work;)
            {
                Thread.SpinWait(1);
            }

            connection.Append(result.Buffer);
            connection.Input.AdvanceTo(result.Buffer.End);
        }
    }
}
