using System.CommandLine;
using System.CommandLine.Invocation;
using SelectReactor.Soak;

ParseResult arguments = Commands.Create().Parse(args);
if (arguments.Action is ParseErrorAction wrong)
{
    wrong.ShowHelp = false;
}

return arguments.Invoke();
