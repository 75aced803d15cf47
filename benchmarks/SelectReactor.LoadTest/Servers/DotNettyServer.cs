using System.Net;
using DotNetty.Buffers;
using DotNetty.Transport.Bootstrapping;
using DotNetty.Transport.Channels;
using DotNetty.Transport.Channels.Sockets;

namespace SelectReactor.LoadTest.Servers;

internal static class DotNettyServer
{
    public static void Run(int port, Action<EndPoint> listening)
    {
        var loop = new MultithreadEventLoopGroup(1);
        IChannel channel = new ServerBootstrap()
            .Group(loop)
            .Channel<TcpServerSocketChannel>()
            .Option(ChannelOption.SoBacklog, EchoServers.Backlog)
            .Option(ChannelOption.Allocator, PooledByteBufferAllocator.Default)
            .ChildOption(ChannelOption.Allocator, PooledByteBufferAllocator.Default)
            .ChildOption(ChannelOption.TcpNodelay, true)
            .ChildHandler(new ActionChannelInitializer<IChannel>(child => child.Pipeline.AddLast(new EchoHandler())))
            .BindAsync(new IPEndPoint(IPAddress.Loopback, port))
            .GetAwaiter().GetResult();
        listening(channel.LocalAddress);
        channel.CloseCompletion.GetAwaiter().GetResult();
    }

    private sealed class EchoHandler : ChannelHandlerAdapter
    {
        public override void ChannelRead(IChannelHandlerContext context, object message) =>
            context.WriteAsync(message);

        public override void ChannelReadComplete(IChannelHandlerContext context) => context.Flush();

        public override void ExceptionCaught(IChannelHandlerContext context, Exception exception) =>
            context.CloseAsync();
    }
}
