using System.Net.Sockets;
using SelectReactor.Testing.Time;

namespace SelectReactor.Testing.Network;

/// <content>The packets between two ends. An end whose program has closed it still delivers the bytes that it had
/// taken.</content>
internal sealed partial class SimulatedStream
{
    /// <summary>After so long without an acknowledgement Linux gives up (tcp_retries2, tcp(7)).</summary>
    private static readonly TimeSpan _maxSilence = TimeSpan.FromSeconds(924.6);

    private SimulatedStream? _peer;
    private Link? _link;
    private long _unansweredSince;
    private EventQueue.ScheduledEvent? _silenceTimer;

    public SimulatedHost? PeerHost => _peer?.Host;

    public TcpState State { get; private set; }

    public bool IsCut => State is TcpState.Failed or TcpState.Reset;

    /// <summary>The network cuts the connection in the middle: both ends see a reset.</summary>
    public void Cut()
    {
        SimulatedStream? peer = _peer;
        Note("is cut by the network");
        OnReset();
        peer?.OnReset();
    }

    /// <summary>Packets in one of the two directions do not arrive any more.</summary>
    public void OnHeld()
    {
        WatchForSilence();
        _peer?.WatchForSilence();
    }

    // A close with unread input is a reset, which discards what was still to be sent. When both ends have sent FIN,
    // there is nothing left to reset.
    protected override void OnClosing(bool reset)
    {
        _retry?.Cancel();
        if (State == TcpState.SynSent)
        {
            GiveUp();
        }
        else if (State != TcpState.Unconnected && !State.IsOver() && (reset || _receive.Count > 0))
        {
            Reset(tellPeer: !(_receive.IsEnded && _send.IsFinSent));
        }
        else
        {
            EndOutput();
        }

        LeaveWhenDone();
    }

    private void Become(TcpState next)
    {
        if (!State.MayBecome(next))
        {
            throw new InvalidOperationException($"A connection that is {State} does not become {next}.");
        }

        State = next;
    }

    private void EndOutput()
    {
        if (State.CanSend())
        {
            Become(State == TcpState.Established ? TcpState.FinWait1 : TcpState.LastAck);
            Transmit();
        }
    }

    // Sends as many bytes as the peer has room for, in segments of any size, and FIN after the last byte.
    private void Transmit()
    {
        _unansweredSince = _send.IsInFlight ? _unansweredSince : Network.Now;
        while (_send.Sendable > 0)
        {
            int max = Math.Min(_send.Sendable, Network.Conditions.MaxSegmentBytes);
            bool isCut = Network.Conditions.MaxSegmentBytes != int.MaxValue;
            byte[] bytes = _send.TakeSegment(isCut ? Network.InternalRandom.Between(1, max) : max);
            if (Network.InternalRandom.Hits(Network.Conditions.ResetChance))
            {
                Deliver(bytes.Length, _peer!.Cut);
            }
            else
            {
                Deliver(bytes.Length, () => _peer!.OnData(bytes));
            }
        }

        if (State.HasSentFin() && _send.IsEmpty && !_send.IsFinSent)
        {
            _send.TakeFin();
            Deliver(0, _peer!.OnFin);
        }
    }

    // Sends something that the peer has to acknowledge.
    private void Deliver(int bytes, Action arrive)
    {
        _link!.Send(bytes, arrive);
        if (_link.IsHeld)
        {
            WatchForSilence();
        }
    }

    // Only during a partition: otherwise every packet is acknowledged sooner or later.
    private void WatchForSilence()
    {
        if (!IsCut && _send.IsInFlight && _silenceTimer is null)
        {
            var waited = TimeSpan.FromTicks(Network.Now - _unansweredSince);
            _silenceTimer = Network.ScheduleTimer(
                _maxSilence > waited ? _maxSilence - waited : TimeSpan.Zero, FailAfterSilence);
        }
    }

    private void FailAfterSilence()
    {
        _silenceTimer = null;
        if (!IsCut && _send.IsInFlight && Network.Now - _unansweredSince >= _maxSilence.Ticks)
        {
            Note("gives up");
            Fail(SocketError.TimedOut);
        }
        else
        {
            WatchForSilence();
        }
    }

    private void OnData(byte[] bytes)
    {
        if (!State.CanReceive() || IsOrphan)
        {
            Reset(tellPeer: true);
            return;
        }

        _receive.Take(bytes);
        Host.TakenBytes += bytes.Length;
        Touch();
        Acknowledge();
    }

    private void OnFin()
    {
        if (!State.CanReceive())
        {
            Reset(tellPeer: true);
            return;
        }

        _receive.TakeFin();
        Become(State switch
        {
            TcpState.Established => TcpState.CloseWait,
            TcpState.FinWait1 => TcpState.Closing,
            _ => TcpState.TimeWait,
        });
        Touch();
        Acknowledge();
    }

    // Tells the peer which bytes have come, and how many more there is room for.
    private void Acknowledge()
    {
        if (!IsCut)
        {
            (long number, long windowEnd) = (_receive.Next, _receive.WindowEnd);
            _link!.SendAcknowledgement(() => _peer!.OnAcknowledged(number, windowEnd));
        }
    }

    private void OnAcknowledged(long number, long windowEnd)
    {
        if (IsCut)
        {
            return;
        }

        _send.Acknowledge(number, windowEnd);
        _unansweredSince = Network.Now;
        TcpState next = State switch
        {
            TcpState.FinWait1 => TcpState.FinWait2,
            TcpState.Closing => TcpState.TimeWait,
            TcpState.LastAck => TcpState.Closed,
            _ => State,
        };
        if (_send.IsFinAcknowledged && next != State)
        {
            Become(next);
        }

        Transmit();
        Touch();
        LeaveWhenDone();
    }

    // An end that was closed is on the network until the peer has all of it.
    private void LeaveWhenDone()
    {
        if (IsCut || (IsOrphan && _send.IsEmpty && !_send.IsInFlight))
        {
            Host.Streams.Remove(this);
        }
    }

    private void OnReset()
    {
        _listener?.Forget(this);
        _listener = null;
        if (State.IsOver() || State == TcpState.Unconnected)
        {
            return;
        }

        Note("is reset");
        SocketError error = State == TcpState.SynSent ? SocketError.ConnectionRefused
            : State == TcpState.CloseWait && !DiscardsInput ? SocketError.Shutdown : SocketError.ConnectionReset;
        if (DiscardsInput)
        {
            Host.TakenBytes -= _receive.Count;
            _receive.Discard();
        }

        Fail(error);
    }

    private bool DiscardsInput => Network.Conditions.ResetDiscardsInput && _receive.Count > 0;

    private void Fail(SocketError error)
    {
        Reset(tellPeer: false);
        _error = error;
        Touch();
    }

    /// <summary>Gives up an attempt to connect. The peer learns of it when it answers.</summary>
    private void GiveUp() => Reset(tellPeer: false);

    private void Reset(bool tellPeer)
    {
        _retry?.Cancel();
        if (!State.IsOver())
        {
            Become(State == TcpState.SynSent ? TcpState.Failed : TcpState.Reset);
        }

        _send.Discard();
        LeaveWhenDone();
        if (tellPeer)
        {
            _link!.SendReset(_peer!.OnReset);
        }
    }
}
