namespace KeyValueServer;

/// <content>Lists.</content>
internal sealed partial class Commands
{
    private void PushLeft(scoped Request request, ref RespWriter reply) => Push(request, atLeft: true, ref reply);

    private void PushRight(scoped Request request, ref RespWriter reply) => Push(request, atLeft: false, ref reply);

    private void PopLeft(scoped Request request, ref RespWriter reply) =>
        Pop(request, "lpop", atLeft: true, ref reply);

    private void PopRight(scoped Request request, ref RespWriter reply) =>
        Pop(request, "rpop", atLeft: false, ref reply);

    private void Push(scoped Request request, bool atLeft, ref RespWriter reply)
    {
        if (!TryFind(request[1], ref reply, out ListEntry? list))
        {
            return;
        }

        list ??= _store.AddList(request[1]);
        for (int i = 2; i < request.Count; i++)
        {
            if (atLeft)
            {
                list.PushLeft(request[i]);
            }
            else
            {
                list.PushRight(request[i]);
            }
        }

        reply.Integer(list.Count);
    }

    private void Pop(scoped Request request, string name, bool atLeft, ref RespWriter reply)
    {
        long count = 1;
        bool isMany = request.Count == 3;
        if (request.Count > 3)
        {
            ReplyWrongCount(name, ref reply);
        }
        else if (isMany && (!RespParser.TryParseInteger(request[2], out count) || count < 0))
        {
            reply.Error("ERR value is out of range, must be positive"u8);
        }
        else if (TryFind(request[1], ref reply, out ListEntry? list))
        {
            PopFrom(list, count, isMany, atLeft, ref reply);
        }
    }

    private void PopFrom(ListEntry? list, long count, bool isMany, bool atLeft, ref RespWriter reply)
    {
        if (list is null)
        {
            if (isMany)
            {
                reply.NullArray();
            }
            else
            {
                reply.Null();
            }

            return;
        }

        long left = Math.Min(count, list.Count);
        if (isMany)
        {
            reply.Array(left);
        }

        for (; left > 0; left--)
        {
            reply.Bulk(atLeft ? list.PopLeft() : list.PopRight());
        }

        if (list.Count == 0)
        {
            _store.Remove(list);
        }
    }

    private void Range(scoped Request request, ref RespWriter reply)
    {
        if (!RespParser.TryParseInteger(request[2], out long from)
            || !RespParser.TryParseInteger(request[3], out long to))
        {
            ReplyNotInteger(ref reply);
            return;
        }

        if (!TryFind(request[1], ref reply, out ListEntry? list))
        {
            return;
        }

        int count = list?.Count ?? 0;
        int first = (int)Math.Clamp(FromStart(from, count), 0, count);
        int end = (int)Math.Clamp(FromStart(to, count), -1, count - 1) + 1;
        reply.Array(Math.Max(end - first, 0));
        for (int i = first; i < end; i++)
        {
            reply.Bulk(list![i]);
        }
    }

    private static long FromStart(long index, int count) => index < 0 ? index + count : index;
}
