using System.Net.Sockets;
using System.Text;
using SelectReactor.Connections;

namespace SelectReactor.Tests.Support;

/// <summary>A step that takes a tag of four bytes from the front of the stream and makes it a feature. What it reads
/// beyond the tag it hands on. The tag "FAIL" is a failure and "BOOM" an exception.</summary>
internal sealed class TagStep(TimeSpan timeLimit) : OpeningStep
{
    private readonly byte[] _buffer = new byte[64];
    private int _length;

    public TagStep()
        : this(TimeSpan.FromSeconds(10))
    {
    }

    public static int Live { get; set; }

    public override string Name => "tag";

    public override TimeSpan TimeLimit => timeLimit;

    public override void Begin()
    {
        Live++;
        Sequence.Opened.Received.Span.CopyTo(_buffer);
        _length = Sequence.Opened.Received.Length;
        Sequence.Interest = Interest.Read;
        Look();
    }

    public override void OnReady(Interest ready)
    {
        SocketError error = Sequence.Opened.Handle.Receive(_buffer.AsSpan(_length), out int received);
        if (error == SocketError.WouldBlock)
        {
            return;
        }

        if (error != SocketError.Success || received == 0)
        {
            Sequence.Fail(new IOException($"{Sequence.Prefix}the tag ended after {_length} bytes."));
            return;
        }

        _length += received;
        Look();
    }

    public override void End() => Live--;

    private void Look()
    {
        if (_length < 4)
        {
            return;
        }

        string tag = Encoding.ASCII.GetString(_buffer, 0, 4);
        switch (tag)
        {
            case "FAIL":
                Sequence.Fail(new IOException($"{Sequence.Prefix}the tag is bad."));
                break;
            case "BOOM":
                throw new FormatException("the step threw");
            default:
                string before = Sequence.Facts.GetFeature<string>() ?? "";
                if (before.Length == 0)
                {
                    Sequence.Facts.AddFeature(tag);
                }

                Sequence.Complete(Sequence.Opened with
                {
                    Received = _buffer.AsMemory(4, _length - 4),
                    RemoteEndPoint = new System.Net.DnsEndPoint(tag + before, 1),
                });
                break;
        }
    }
}
