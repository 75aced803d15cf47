namespace SelectReactor;

/// <content>Whom to ask first.</content>
public sealed partial class SelectSelector
{
    // Most connections of a server are idle, and asking for each costs as much as asking for one that is not. While the hot
    // ones are all that is going on, it is they who are waited for; once others have spoken up, everybody is.
    private void SelectHotFirst(TimeSpan wait, TimeSpan rest, List<SelectionKey> ready)
    {
        bool waitIsShort = wait >= TimeSpan.Zero && wait <= rest;
        TimeSpan hotWait = !_coldIsQuiet ? TimeSpan.Zero : waitIsShort ? wait : rest;
        if (!SelectOn(hotOnly: true, hotWait, ready) && hotWait != wait)
        {
            Scan(wait < TimeSpan.Zero ? wait : wait - hotWait, ready);
        }
    }

    private void Scan(TimeSpan wait, List<SelectionKey> ready)
    {
        bool measured = _pacer.IsMeasurementDue;
        _pacer.BeginScan();
        bool any = SelectOn(hotOnly: false, measured ? TimeSpan.Zero : wait, ready);
        _pacer.EndScan(measured);
        if (measured && !any && wait != TimeSpan.Zero)
        {
            _pacer.BeginScan();
            SelectOn(hotOnly: false, wait, ready);
            _pacer.EndScan(measured: false);
        }

        WarmUp(ready);
        CoolDown();
    }

    private void WarmUp(List<SelectionKey> ready)
    {
        int hotBefore = _readers.Hot;
        foreach (SelectionKey key in ready)
        {
            if ((key.Ready & Interest.Read) != 0 && !key.IsEvicted)
            {
                _readers.MakeHot(key);
            }
        }

        _coldIsQuiet = _readers.Hot == hotBefore;
    }

    private void CoolDown()
    {
        for (int i = _readers.Hot - 1; i >= 0; i--)
        {
            if (_readers.MemberAt(i) is { Handle: SocketHandle { IsListening: false } } key
                && _pacer.Scans - key.LastHeat > HotScans)
            {
                _readers.MakeCold(i);
            }
        }
    }
}
