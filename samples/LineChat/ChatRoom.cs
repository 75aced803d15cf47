using SelectReactor;

namespace LineChat;

/// <summary>The members and what they say to each other. All of it runs on the reactor's thread, so it needs no
/// lock.</summary>
internal sealed class ChatRoom
{
    private const int MaxNameLength = 20;
    private const string Help = "Commands: /nick NAME, /who, /me ACTION, /quit.";

    private static readonly StringComparer _byName = StringComparer.OrdinalIgnoreCase;

    private readonly Dictionary<string, Member> _members = new(_byName);

    /// <summary>The connections of the members: a line is encoded once for all of them.</summary>
    private readonly ConnectionGroup _group;
    private int _guests;

    public ChatRoom(Reactor reactor) => _group = new ConnectionGroup(reactor, new ConnectionGroupOptions
    {
        MaxQueuedBytes = ChatHandler.MaxQueuedBytes,
        WhenSlow = WhenSlow.Abort,
    });

    public Member Join(Connection connection)
    {
        var member = new Member(connection, NewGuestName());
        _members.Add(member.Name, member);
        _group.Add(connection);
        member.Tell($"* Welcome, {member.Name}. {Help}");
        Broadcast($"* {member.Name} has joined.", except: member);
        return member;
    }

    public void Leave(Member member)
    {
        _members.Remove(member.Name);
        _group.Remove(member.Connection);
        Broadcast($"* {member.Name} has left.", except: member);
    }

    /// <summary>Does what a line says.</summary>
    /// <returns>False if the member wants to leave.</returns>
    public bool Handle(Member member, string line)
    {
        string[] words = line.Trim().Split(' ', 2, StringSplitOptions.TrimEntries);
        string argument = words.Length > 1 ? words[1] : "";
        switch (words[0])
        {
            case "":
                break;
            case "/nick":
                Rename(member, argument);
                break;
            case "/who":
                member.Tell($"* Here are: {string.Join(", ", _members.Keys.Order(_byName))}.");
                break;
            case "/me" when argument.Length > 0:
                Broadcast($"* {member.Name} {argument}", except: member);
                break;
            case "/quit":
                member.Tell("* Goodbye.");
                return false;
            case ['/', ..]:
                member.Tell($"* {words[0]} is no command. {Help}");
                break;
            default:
                Broadcast($"<{member.Name}> {line}", except: member);
                break;
        }

        return true;
    }

    private void Rename(Member member, string name)
    {
        if (name.Length is 0 or > MaxNameLength || !name.All(static c => char.IsLetterOrDigit(c) || c is '-' or '_'))
        {
            member.Tell($"* A name has 1 to {MaxNameLength} letters, digits, - or _.");
        }
        else if (_members.TryGetValue(name, out Member? other) && other != member)
        {
            member.Tell($"* {other.Name} is taken.");
        }
        else
        {
            string before = member.Name;
            _members.Remove(before);
            _members.Add(name, member);
            member.Name = name;
            member.Tell($"* You are {name} now.");
            Broadcast($"* {before} is {name} now.", except: member);
        }
    }

    private void Broadcast(string line, Member except) =>
        _group.BroadcastExcept(except.Connection, Member.Lines, line);

    private string NewGuestName()
    {
        string name;
        do
        {
            name = $"guest{++_guests}";
        }
        while (_members.ContainsKey(name));
        return name;
    }
}
