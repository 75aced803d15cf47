using System.Buffers;
using System.IO.Pipelines;
using Microsoft.Extensions.Logging;

namespace SelectReactor.AspNetCore;

/// <summary>What a reactor gives to its connections.</summary>
internal sealed class ReactorResources
{
    public ReactorResources(
        Reactor reactor, MemoryPool<byte> memory, SelectReactorTransportOptions options, ILogger logger)
    {
        Memory = memory;
        IsInline = options.Scheduling == TransportScheduling.Inline;
        PipeScheduler application = IsInline ? PipeScheduler.Inline : new PoolScheduler();
        var loop = new LoopScheduler(reactor, logger);
        long maxRead = options.MaxReadBufferSize ?? 0;
        long maxWrite = options.MaxWriteBufferSize ?? 0;
        Input = new PipeOptions(
            memory, application, loop, maxRead, maxRead / 2, useSynchronizationContext: false);
        Output = new PipeOptions(
            memory, loop, application, maxWrite, maxWrite / 2, useSynchronizationContext: false);
    }

    public MemoryPool<byte> Memory { get; }

    /// <summary>Whether the application runs on the reactor's thread.</summary>
    public bool IsInline { get; }

    /// <summary>From the reactor to the application.</summary>
    public PipeOptions Input { get; }

    /// <summary>From the application to the reactor.</summary>
    public PipeOptions Output { get; }
}
