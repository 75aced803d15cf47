using SelectReactor.Selection;

namespace SelectReactor;

/// <content>Whom to ask first.</content>
public sealed partial class SelectSelector
{
    // Most connections of a server are idle, and asking for each costs as much as asking for one that is not. While the hot
    // ones are all that is going on, it is they who are waited for; once others have spoken up, everybody is.
    private void SelectHotFirst(TimeSpan wait, TimeSpan rest, List<SelectorEntry> ready)
    {
        bool waitIsShort = wait >= TimeSpan.Zero && wait <= rest;
        TimeSpan hotWait = !_coldIsQuiet ? TimeSpan.Zero : waitIsShort ? wait : rest;
        if (!SelectOn(hotOnly: true, hotWait, ready) && hotWait != wait)
        {
            Scan(wait < TimeSpan.Zero ? wait : wait - hotWait, ready);
        }
    }

    private void Scan(TimeSpan wait, List<SelectorEntry> ready)
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

    private void WarmUp(List<SelectorEntry> ready)
    {
        int hotBefore = _readers.Hot;
        foreach (SelectorEntry entry in ready)
        {
            if ((entry.Ready & Interest.Read) != 0 && !entry.IsEvicted)
            {
                _readers.MakeHot(WatchedSocket.Of(entry));
            }
        }

        _coldIsQuiet = _readers.Hot == hotBefore;
    }

    private void CoolDown()
    {
        for (int i = _readers.Hot - 1; i >= 0; i--)
        {
            if (_readers.MemberAt(i) is { Handle.IsListening: false } watched
                && _pacer.Scans - watched.LastActiveScan > HotScans)
            {
                _readers.MakeCold(i);
            }
        }
    }
}
