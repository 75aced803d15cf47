using System.Buffers.Text;

namespace KeyValueServer;

/// <content>Strings, which are also numbers.</content>
internal sealed partial class Commands
{
    private const int LongestInteger = 20;

    private enum Presence
    {
        Any,
        IfAbsent,
        IfPresent,
    }

    private void Get(scoped Request request, ref RespWriter reply)
    {
        if (TryFind(request[1], ref reply, out StringEntry? entry))
        {
            ReplyValue(entry, ref reply);
        }
    }

    private void GetMany(scoped Request request, ref RespWriter reply)
    {
        reply.Array(request.Count - 1);
        for (int i = 1; i < request.Count; i++)
        {
            ReplyValue(_store.Find(request[i]) as StringEntry, ref reply);
        }
    }

    private void Set(scoped Request request, ref RespWriter reply)
    {
        if (request.Count == 3)
        {
            _store.SetString(request[1], request[2]);
            reply.Ok();
        }
        else if (TryParseSetOptions(request, ref reply, out Presence presence, out long? end))
        {
            SetIf(request, presence, end, ref reply);
        }
    }

    private void SetIf(scoped Request request, Presence presence, long? end, ref RespWriter reply)
    {
        if (presence != Presence.Any && (presence == Presence.IfPresent) != (_store.Find(request[1]) is not null))
        {
            reply.Null();
            return;
        }

        StringEntry entry = _store.SetString(request[1], request[2]);
        if (end is { } time)
        {
            _store.ExpireAt(entry, time);
        }

        reply.Ok();
    }

    private bool TryParseSetOptions(
        scoped Request request, ref RespWriter reply, out Presence presence, out long? end)
    {
        presence = Presence.Any;
        end = null;
        int lifetime = 0;
        bool inSeconds = false;
        for (int i = 3; i < request.Count; i++)
        {
            ReadOnlySpan<byte> option = request[i];
            bool isSeconds = IsWord(option, "ex"u8);
            if (IsWord(option, "nx"u8) && presence != Presence.IfPresent)
            {
                presence = Presence.IfAbsent;
            }
            else if (IsWord(option, "xx"u8) && presence != Presence.IfAbsent)
            {
                presence = Presence.IfPresent;
            }
            else if ((isSeconds || IsWord(option, "px"u8)) && lifetime == 0 && i + 1 < request.Count)
            {
                lifetime = ++i;
                inSeconds = isSeconds;
            }
            else
            {
                ReplySyntax(ref reply);
                return false;
            }
        }

        return lifetime == 0 || TryParseLifetime(request[lifetime], inSeconds, ref reply, out end);
    }

    private bool TryParseLifetime(
        scoped ReadOnlySpan<byte> text, bool inSeconds, ref RespWriter reply, out long? end)
    {
        end = null;
        if (!RespParser.TryParseInteger(text, out long lifetime))
        {
            ReplyNotInteger(ref reply);
            return false;
        }

        if (lifetime <= 0 || !TryAddToNow(lifetime, inSeconds ? 1000 : 1, out long time))
        {
            reply.Error("ERR invalid expire time in 'set' command"u8);
            return false;
        }

        end = time;
        return true;
    }

    private void SetMany(scoped Request request, ref RespWriter reply)
    {
        if (request.Count % 2 == 0)
        {
            ReplyWrongCount("mset", ref reply);
            return;
        }

        for (int i = 1; i < request.Count; i += 2)
        {
            _store.SetString(request[i], request[i + 1]);
        }

        reply.Ok();
    }

    private void Increment(scoped Request request, ref RespWriter reply)
    {
        if (!TryFind(request[1], ref reply, out StringEntry? entry))
        {
            return;
        }

        long value = 0;
        if (entry is not null && !RespParser.TryParseInteger(entry.Value, out value))
        {
            ReplyNotInteger(ref reply);
            return;
        }

        if (value == long.MaxValue)
        {
            reply.Error("ERR increment or decrement would overflow"u8);
            return;
        }

        value++;
        Span<byte> text = stackalloc byte[LongestInteger];
        Utf8Formatter.TryFormat(value, text, out int length);
        if (entry is null)
        {
            _store.SetString(request[1], text[..length]);
        }
        else
        {
            entry.Set(text[..length]);
        }

        reply.Integer(value);
    }

    private static void ReplyValue(StringEntry? entry, ref RespWriter reply)
    {
        if (entry is null)
        {
            reply.Null();
        }
        else
        {
            reply.Bulk(entry.Value);
        }
    }
}
