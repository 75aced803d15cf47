using System.Buffers;
using System.IO.Pipelines;
using System.Net;

namespace SelectReactor.Tests.Support;

/// <summary>A connection that shifts each byte by one: a stand-in for a protocol below. It passes all else
/// on.</summary>
public sealed class Shifted : Connection
{
    private readonly Connection _inner;

    public Shifted(Connection inner)
    {
        _inner = inner;
        Input = PipeReader.Create(new ShiftingStream(inner.Input.AsStream(), by: -1));
        Output = PipeWriter.Create(new ShiftingStream(inner.Output.AsStream(), by: 1));
    }

    public override long Id => _inner.Id;

    public override Reactor Reactor => _inner.Reactor;

    public override EndPoint? LocalEndPoint => _inner.LocalEndPoint;

    public override EndPoint? RemoteEndPoint => _inner.RemoteEndPoint;

    public override ConnectionState State => _inner.State;

    public override PipeReader Input { get; }

    public override PipeWriter Output { get; }

    public override bool IsWritable => _inner.IsWritable;

    public override long QueuedOutputBytes => _inner.QueuedOutputBytes;

    public override IConnectionHandler Handler
    {
        get => _inner.Handler;
        set => _inner.Handler = value;
    }

    public override object? UserState
    {
        get => _inner.UserState;
        set => _inner.UserState = value;
    }

    public override ConnectionStatistics Statistics => _inner.Statistics;

    public override CancellationToken ConnectionClosed => _inner.ConnectionClosed;

    public override Task<CloseReason> Completion => _inner.Completion;

    public override bool TryWrite(ReadOnlySpan<byte> bytes) =>
        _inner.TryWrite(bytes.ToArray().Select(static one => (byte)(one + 1)).ToArray());

    public override bool TryWrite(in ReadOnlySequence<byte> bytes) => TryWrite(bytes.ToArray());

    public override void PauseReading() => _inner.PauseReading();

    public override void ResumeReading() => _inner.ResumeReading();

    public override void CloseOutput() => _inner.CloseOutput();

    public override void Close() => _inner.Close();

    public override void Close(CloseKind kind, Exception? error) => _inner.Close(kind, error);

    public override void Abort(Exception? error) => _inner.Abort(error);

    public override void Abort(CloseKind kind, Exception? error) => _inner.Abort(kind, error);

    private sealed class ShiftingStream(Stream inner, int by) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => inner.Length;

        public override long Position { get => inner.Position; set => inner.Position = value; }

        public override void Flush() => inner.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = await inner.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            Shift(buffer.Span[..count]);
            return count;
        }

        public override ValueTask WriteAsync(
            ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            byte[] shifted = buffer.ToArray();
            Shift(shifted);
            return inner.WriteAsync(shifted, cancellationToken);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private void Shift(Span<byte> bytes)
        {
            foreach (ref byte one in bytes)
            {
                one = (byte)(one + by);
            }
        }
    }
}
