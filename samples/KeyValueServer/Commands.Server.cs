using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace KeyValueServer;

/// <content>About the connection and the server.</content>
internal sealed partial class Commands
{
    /// <summary>What this server has nothing of, in the terms of Redis: tools ask for it before they start.</summary>
    private static readonly (string Name, string Value)[] _settings =
    [
        ("save", string.Empty),
        ("appendonly", "no"),
        ("maxmemory", "0"),
        ("databases", "1"),
        ("proto-max-bulk-len", RespParser.MaxBulkLength.ToString(CultureInfo.InvariantCulture)),
    ];

    private readonly long _started = Stopwatch.GetTimestamp();

    private static void Ping(scoped Request request, ref RespWriter reply)
    {
        switch (request.Count)
        {
            case 1:
                reply.Raw("+PONG\r\n"u8);
                break;
            case 2:
                reply.Bulk(request[1]);
                break;
            default:
                ReplyWrongCount("ping", ref reply);
                break;
        }
    }

    private static void Echo(scoped Request request, ref RespWriter reply) => reply.Bulk(request[1]);

    private static void Quit(scoped Request request, ref RespWriter reply)
    {
        reply.Ok();
        reply.IsLast = true;
    }

    private static void Select(scoped Request request, ref RespWriter reply)
    {
        if (!RespParser.TryParseInteger(request[1], out long index))
        {
            ReplyNotInteger(ref reply);
        }
        else if (index != 0)
        {
            reply.Error("ERR DB index is out of range"u8);
        }
        else
        {
            reply.Ok();
        }
    }

    private static void Configure(scoped Request request, ref RespWriter reply)
    {
        if (!IsWord(request[1], "get"u8))
        {
            ReplyUnknownSubcommand("CONFIG", request[1], ref reply);
            return;
        }

        if (request.Count < 3)
        {
            ReplyWrongCount("config|get", ref reply);
            return;
        }

        var found = new List<(string Name, string Value)>();
        foreach ((string Name, string Value) setting in _settings)
        {
            for (int i = 2; i < request.Count; i++)
            {
                if (request[i] is [(byte)'*'] || Ascii.EqualsIgnoreCase(request[i], setting.Name))
                {
                    found.Add(setting);
                    break;
                }
            }
        }

        reply.Array(2 * found.Count);
        foreach ((string name, string value) in found)
        {
            reply.Bulk(Encoding.ASCII.GetBytes(name));
            reply.Bulk(Encoding.ASCII.GetBytes(value));
        }
    }

    private void Describe(scoped Request request, ref RespWriter reply)
    {
        if (request.Count == 1)
        {
            DescribeAll(ref reply);
        }
        else if (IsWord(request[1], "count"u8) && request.Count == 2)
        {
            reply.Integer(_table.Count);
        }
        else if (IsWord(request[1], "docs"u8))
        {
            // There are none; redis-cli then offers no hints.
            reply.Array(0);
        }
        else
        {
            ReplyUnknownSubcommand("COMMAND", request[1], ref reply);
        }
    }

    private void DescribeAll(ref RespWriter reply)
    {
        reply.Array(_table.Count);
        foreach (Command command in _table.Values)
        {
            reply.Array(6);
            reply.Bulk(Encoding.ASCII.GetBytes(command.Name));
            reply.Integer(command.Arity);
            reply.Array(0);
            reply.Integer(command.Keys.First);
            reply.Integer(command.Keys.Last);
            reply.Integer(command.Keys.Step);
        }
    }

    private void Inform(scoped Request request, ref RespWriter reply)
    {
        // Clients decide by this version what they may send.
        (string Name, string Text)[] sections =
        [
            ("Server", string.Create(CultureInfo.InvariantCulture, $"""
                redis_version:7.0.0
                redis_mode:standalone
                process_id:{Environment.ProcessId}
                uptime_in_seconds:{(long)Stopwatch.GetElapsedTime(_started).TotalSeconds}
                """)),
            ("Clients", $"connected_clients:{_countClients()}"),
            ("Memory", $"used_memory:{GC.GetTotalMemory(forceFullCollection: false)}"),
            ("Stats", $"""
                total_commands_processed:{_processed}
                expired_keys:{_store.ExpiredCount}
                """),
            ("Keyspace", _store.Count == 0 ? string.Empty : $"db0:keys={_store.Count},expires={_store.MortalCount}"),
        ];
        var text = new StringBuilder();
        foreach ((string name, string lines) in sections)
        {
            if (IsAsked(request, name))
            {
                text.Append(text.Length == 0 ? string.Empty : "\n").Append("# ").Append(name).Append('\n');
                text.Append(lines).Append(lines.Length == 0 ? string.Empty : "\n");
            }
        }

        reply.Bulk(Encoding.ASCII.GetBytes(text.ToString().ReplaceLineEndings("\r\n")));
    }

    private static bool IsAsked(scoped Request request, string section)
    {
        for (int i = 1; i < request.Count; i++)
        {
            if (Ascii.EqualsIgnoreCase(request[i], section)
                || IsWord(request[i], "all"u8)
                || IsWord(request[i], "default"u8)
                || IsWord(request[i], "everything"u8))
            {
                return true;
            }
        }

        return request.Count == 1;
    }
}
