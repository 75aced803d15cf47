using System.Buffers;
using SelectReactor.Buffers;
using SelectReactor.ProxyProtocol;

namespace SelectReactor;

/// <summary>Decodes PROXY headers of both versions, for protocols and tests of your own. A listener reads them by
/// <see cref="ListenerOptions.ProxyProtocol"/>.</summary>
/// <param name="maxHeaderBytes">The most bytes of a header of version 2, compared before anything is waited for. One
/// of version 1 has 107 at most.</param>
/// <exception cref="ArgumentOutOfRangeException"><paramref name="maxHeaderBytes"/> is less than 1.</exception>
public sealed class ProxyHeaderDecoder(int maxHeaderBytes) : MessageDecoder<ProxyHeader>
{
    private readonly int _maxHeaderBytes = maxHeaderBytes >= 1
        ? maxHeaderBytes
        : throw new ArgumentOutOfRangeException(nameof(maxHeaderBytes), maxHeaderBytes, "It must be at least 1.");

    /// <summary>The only version that is accepted. Default (null): both.</summary>
    public ProxyProtocolVersion? Version { get; init; }

    /// <summary>Whether a header without a checksum is malformed, and so every one of version 1. A checksum that is
    /// there is always verified. Default: false.</summary>
    public bool RequiresChecksum { get; init; }

    /// <inheritdoc/>
    public override DecodeResult<ProxyHeader> Decode(in ReadOnlySequence<byte> input, long examined)
    {
        Span<byte> first = stackalloc byte[1];
        input.Slice(0, 1).CopyTo(first);
        ProxyProtocolVersion version = first[0] == 'P' ? ProxyProtocolVersion.Version1 : ProxyProtocolVersion.Version2;
        DecodeResult<ProxyHeader> result = version == ProxyProtocolVersion.Version1
            ? HeaderLine.Read(input)
            : HeaderBlock.Read(input, _maxHeaderBytes);
        return result.Status switch
        {
            DecodeStatus.Malformed or DecodeStatus.TooLong => result,
            _ when Version is { } only && only != version =>
                DecodeResult.Malformed($"The PROXY header has not the form of {only}, which alone is accepted."),
            DecodeStatus.Message when RequiresChecksum && !result.Message.HasChecksum =>
                DecodeResult.Malformed("The PROXY header has no checksum, which is required."),
            _ => result,
        };
    }

    /// <summary>The result for what is no header at all.</summary>
    internal static DecodeResult NoHeader(ReadOnlySpan<byte> first) =>
        DecodeResult.Malformed($"The first bytes are no PROXY header but {FirstBytes.Show(first)}.");
}
