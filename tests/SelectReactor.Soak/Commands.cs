using System.CommandLine;
using SelectReactor.Testing;

namespace SelectReactor.Soak;

/// <summary>The command line: many seeds at once, or one with its trace.</summary>
internal static class Commands
{
    public static RootCommand Create()
    {
        Option<int> seeds = Number("--seeds", 10_000, "How many seeds each scenario runs on.");
        Option<int> first = Number("--first", 1, "The first of them.");
        Option<int?> seed = new("--seed") { Description = "Runs this seed alone, and prints its trace." };
        Option<string[]> scenarios = new("--scenarios")
        {
            Description = "These scenarios instead of all, separated by commas.",
            CustomParser = static result => result.Tokens.SelectMany(static token => token.Value.Split(',')).ToArray(),
        };
        scenarios.Validators.Add(static result =>
        {
            string[] wanted = result.GetRequiredValue<string[]>("--scenarios");
            foreach (string unknown in wanted.Except(Scenario.All.Select(static each => each.Name)))
            {
                result.AddError($"There is no scenario {unknown}. There are: {string.Join(", ", Scenario.All)}.");
            }
        });
        var command = new RootCommand("Runs servers and clients on a simulated network, under faults, on many seeds.")
        {
            seeds, first, seed, scenarios,
        };
        command.Validators.Add(result =>
        {
            if ((long)result.GetValue(first) + result.GetValue(seeds) - 1 > int.MaxValue)
            {
                result.AddError($"The last seed is {int.MaxValue}: there are not so many after the first.");
            }
        });
        command.SetAction(arguments =>
        {
            string[] names = arguments.GetValue(scenarios) ?? [];
            Scenario[] chosen =
                [.. Scenario.All.Where(scenario => names.Length == 0 || names.Contains(scenario.Name))];
            return arguments.GetValue(seed) is { } one
                ? Replay(chosen, one)
                : Soak.Run(chosen, arguments.GetValue(first), arguments.GetValue(seeds));
        });
        return command;
    }

    private static int Replay(Scenario[] scenarios, int seed)
    {
        int status = 0;
        foreach (Scenario scenario in scenarios)
        {
            var network = SimulatedNetwork.Replay(seed);
            string outcome = "clean";
            try
            {
                // Its end belongs to the run: what the last callbacks throw is found here.
                using (network)
                {
                    scenario.Run(network);
                }
            }
            catch (Exception exception)
            {
                status = 1;
                outcome = exception.ToString();
            }

            Console.WriteLine(network.Trace);
            Console.WriteLine($"{scenario}, seed {seed}, trace hash {network.Trace.Hash:x16}: {outcome}");
        }

        return status;
    }

    private static Option<int> Number(string name, int value, string description)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
            {
                result.AddError($"{name} is at least 1.");
            }
        });
        return option;
    }
}
