using SelectReactor.Interleavings.Exploration;
using Mailbox = SelectReactor.Dispatch.Mailbox;
using WorkItem = SelectReactor.Dispatch.WorkItem;

namespace SelectReactor.Interleavings;

/// <summary>The mailbox alone: who posts and closes against the one who takes.</summary>
public sealed class MailboxTests
{
    [Test]
    public void EveryItem_IsTakenOnce_InTheOrderOfItsThread()
    {
        Outcome outcome = Explorer.Explore(3, static () =>
        {
            var mailbox = new Mailbox();
            var taken = new List<string>();
            return new Scenario(
                () => WorkItems.RequireInOrder(TakeAll(mailbox, taken), 2, 2),
                ("taker", () => TakeSome(mailbox, taken, times: 3)),
                ("a", () => Post(mailbox, "a1", "a2")),
                ("b", () => Post(mailbox, "b1", "b2")));
        });

        outcome.AssertSound(atLeast: 1_000);
    }

    [Test]
    public void AnItemIsTaken_OrRefused_WhenTheMailboxCloses()
    {
        Outcome outcome = Explorer.Explore(3, static () =>
        {
            var mailbox = new Mailbox();
            var taken = new List<string>();
            int a = 0;
            int b = 0;
            return new Scenario(
                Check,
                ("closer", Close),
                ("a", () => a = Post(mailbox, "a1", "a2")),
                ("b", () => b = Post(mailbox, "b1")));

            void Close()
            {
                TakeSome(mailbox, taken, times: 1);
                mailbox.Close();
                TakeAll(mailbox, taken);
            }

            void Check()
            {
                Scenario.Require(Post(mailbox, "late1") == 0, "A closed mailbox takes an item.");
                WorkItems.RequireInOrder(taken, a, b);
            }
        });

        outcome.AssertSound(atLeast: 1_000);
    }

    private static int Post(Mailbox mailbox, params string[] items)
    {
        int accepted = 0;
        foreach (string item in items)
        {
            bool posted = mailbox.TryPost(new WorkItem(static _ => { }, item));
            Scenario.Require(!posted || item[^1] == '1' || accepted > 0, "Accepted after one was refused.");
            accepted += posted ? 1 : 0;
        }

        return accepted;
    }

    private static void TakeSome(Mailbox mailbox, List<string> taken, int times)
    {
        for (; times > 0; times--)
        {
            Take(mailbox, taken);
        }
    }

    private static List<string> TakeAll(Mailbox mailbox, List<string> taken)
    {
        while (!mailbox.IsEmpty)
        {
            Scenario.Require(Take(mailbox, taken) > 0, "A mailbox that is not empty has nothing to take.");
        }

        return taken;
    }

    private static int Take(Mailbox mailbox, List<string> taken)
    {
        int count = mailbox.Snapshot();
        for (int i = 0; i < count; i++)
        {
            taken.Add((string)mailbox.Take().State!);
        }

        return count;
    }
}
