namespace KeyValueServer;

/// <content>Keys, whatever their values are.</content>
internal sealed partial class Commands
{
    private void Delete(scoped Request request, ref RespWriter reply)
    {
        int deleted = 0;
        for (int i = 1; i < request.Count; i++)
        {
            if (_store.Find(request[i]) is { } entry)
            {
                _store.Remove(entry);
                deleted++;
            }
        }

        reply.Integer(deleted);
    }

    private void Exists(scoped Request request, ref RespWriter reply)
    {
        int found = 0;
        for (int i = 1; i < request.Count; i++)
        {
            found += _store.Find(request[i]) is null ? 0 : 1;
        }

        reply.Integer(found);
    }

    private void Expire(scoped Request request, ref RespWriter reply)
    {
        if (request.Count > 3)
        {
            reply.Error($"ERR Unsupported option {Quote(request[3], LongestQuote)}");
        }
        else if (!RespParser.TryParseInteger(request[2], out long seconds))
        {
            ReplyNotInteger(ref reply);
        }
        else if (!TryAddToNow(seconds, 1000, out long end))
        {
            reply.Error("ERR invalid expire time in 'expire' command"u8);
        }
        else if (_store.Find(request[1]) is not { } entry)
        {
            reply.Integer(0);
        }
        else
        {
            if (seconds > 0)
            {
                _store.ExpireAt(entry, end);
            }
            else
            {
                _store.Remove(entry);
            }

            reply.Integer(1);
        }
    }

    private void TimeToLive(scoped Request request, ref RespWriter reply)
    {
        Entry? entry = _store.Find(request[1]);
        reply.Integer(entry switch
        {
            null => -2,
            { ExpiresAt: { } end } => ToSeconds(end - _store.Now),
            _ => -1,
        });
    }

    private void CountKeys(scoped Request request, ref RespWriter reply) => reply.Integer(_store.Count);

    private void Flush(scoped Request request, ref RespWriter reply)
    {
        if (request.Count > 2
            || (request.Count == 2 && !IsWord(request[1], "async"u8) && !IsWord(request[1], "sync"u8)))
        {
            ReplySyntax(ref reply);
            return;
        }

        _store.Clear();
        reply.Ok();
    }

    // To the nearest; adding the half first would overflow for the longest life.
    private static long ToSeconds(long milliseconds) => (milliseconds / 1000) + (milliseconds % 1000 / 500);

    private bool TryAddToNow(long time, long unit, out long end)
    {
        try
        {
            end = checked((time * unit) + _store.Now);
            return true;
        }
        catch (OverflowException)
        {
            end = 0;
            return false;
        }
    }
}
