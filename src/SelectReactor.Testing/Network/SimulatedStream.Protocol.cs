using System.Net.Sockets;

namespace SelectReactor.Testing.Network;

/// <content>What goes over the network between two ends. An end that was closed goes on to deliver what it had taken.</content>
internal sealed partial class SimulatedStream
{
    /// <summary>After so long without an answer Linux gives up (tcp_retries2, tcp(7)).</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(924.6);

    private SimulatedStream? _peer;
    private Lane? _lane;
    private int _unacknowledged;
    private int _window;

    /// <summary>Packets that the peer has not acknowledged.</summary>
    private int _outstanding;
    private long _outstandingSince;
    private bool _isWatched;
    private bool _inputEnded;
    private bool _endIsSent;

    /// <summary>Closed by whoever had it: what still comes for it is answered with a reset.</summary>
    private bool _isOrphan;

    public SimulatedHost? PeerHost => _peer?.Host;

    public bool IsDead => _stage == Stage.Dead;

    /// <summary>The network cuts the connection in the middle, and both ends hear of it.</summary>
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
        WatchProgress();
        _peer?.WatchProgress();
    }

    protected override void OnClosing(bool reset)
    {
        _isOrphan = true;
        _retry?.Cancel();
        if (_stage == Stage.Connecting)
        {
            _stage = Stage.Dead;
        }
        else if (_stage == Stage.Connected && (reset || _received.Count > 0))
        {
            // Whoever closes without having read says so with a reset, which overtakes what was still to be sent. When both
            // ends have ended there is no connection left to reset.
            Die(tellPeer: !(_inputEnded && _endIsSent));
        }
        else if (_stage == Stage.Connected)
        {
            _outputIsShut = true;
            Transmit();
        }

        LeaveWhenDone();
    }

    // Sends what the peer has room for, in pieces of any size, and after the last one the end.
    private void Transmit()
    {
        while (_unsent.Count > 0 && _window > 0)
        {
            int most = Math.Min(Math.Min(_unsent.Count, _window), Network.Options.MaxSegmentBytes);
            byte[] bytes = new byte[Network.Options.MaxSegmentBytes == int.MaxValue ? most : Network.Dice.Between(1, most)];
            _unsent.Dequeue(bytes);
            _window -= bytes.Length;
            if (Network.Dice.Hits(Network.Options.ResetChance))
            {
                Deliver(bytes.Length, _peer!.Cut);
            }
            else
            {
                Deliver(bytes.Length, () => _peer!.OnData(bytes));
            }
        }

        if (_outputIsShut && _unsent.Count == 0 && !_endIsSent && _stage == Stage.Connected)
        {
            _endIsSent = true;
            Deliver(0, _peer!.OnEnd);
        }
    }

    // Sends something that the peer has to acknowledge.
    private void Deliver(int bytes, Action arrive)
    {
        if (_outstanding++ == 0)
        {
            _outstandingSince = Network.Now;
        }

        _lane!.Send(bytes, arrive);
        if (_lane.IsHeld)
        {
            WatchProgress();
        }
    }

    // Only while a partition is in the way: otherwise every packet is acknowledged sooner or later.
    private void WatchProgress()
    {
        if (_stage == Stage.Connected && _outstanding > 0 && !_isWatched)
        {
            _isWatched = true;
            var waited = TimeSpan.FromTicks(Network.Now - _outstandingSince);
            Network.ScheduleTimer(_patience > waited ? _patience - waited : TimeSpan.Zero, GiveUpWithoutProgress);
        }
    }

    private void GiveUpWithoutProgress()
    {
        _isWatched = false;
        if (_stage == Stage.Connected && _outstanding > 0 && Network.Now - _outstandingSince >= _patience.Ticks)
        {
            Note("gives up");
            Fail(SocketError.TimedOut);
        }
        else
        {
            WatchProgress();
        }
    }

    private void OnData(byte[] bytes)
    {
        if (_stage == Stage.Dead || _isOrphan)
        {
            Die(tellPeer: true);
            return;
        }

        _received.Enqueue(bytes);
        Touch();
        _lane!.Send(0, () => _peer!.OnAcknowledged(bytes.Length));
    }

    private void OnAcknowledged(int count)
    {
        if (_stage == Stage.Dead)
        {
            return;
        }

        _outstanding--;
        _outstandingSince = Network.Now;
        _unacknowledged = Math.Max(0, _unacknowledged - count);
        Touch();
        LeaveWhenDone();
    }

    private void OnEnd()
    {
        if (_stage == Stage.Dead)
        {
            Die(tellPeer: true);
            return;
        }

        _inputEnded = true;
        Touch();
        _lane!.Send(0, () => _peer!.OnAcknowledged(0));
    }

    // One that was closed is on the network until the peer has all of it.
    private void LeaveWhenDone()
    {
        if (_stage == Stage.Dead || (_isOrphan && _unsent.Count == 0 && _outstanding == 0))
        {
            Host.Streams.Remove(this);
        }
    }

    private void OnReset()
    {
        _listener?.Forget(this);
        _listener = null;
        if (_stage is Stage.Connected or Stage.Connecting)
        {
            Note("is reset");
            Fail(_stage == Stage.Connecting ? SocketError.ConnectionRefused
                : _inputEnded ? SocketError.Shutdown : SocketError.ConnectionReset);
        }
    }

    private void GrantWindow(int count)
    {
        if (_stage == Stage.Connected)
        {
            _lane!.Send(0, () => _peer!.OnWindow(count));
        }
    }

    private void OnWindow(int count)
    {
        _window += count;
        Transmit();
    }

    private void Fail(SocketError error)
    {
        Die(tellPeer: false);
        _error = error;
        Touch();
    }

    private void Die(bool tellPeer)
    {
        _retry?.Cancel();
        _stage = Stage.Dead;
        _unsent.Clear();
        _unacknowledged = 0;
        _outstanding = 0;
        LeaveWhenDone();
        if (tellPeer)
        {
            _lane!.SendReset(_peer!.OnReset);
        }
    }
}
