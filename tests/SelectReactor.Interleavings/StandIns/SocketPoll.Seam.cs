using System.Net.Sockets;
using SelectReactor.Interleavings.Exploration;

namespace SelectReactor.Selection;

/// <content>What <c>Socket.Select</c> is in this project.</content>
internal sealed partial class SocketPoll
{
    /// <summary>Named as the type, so that the core's call of <c>Socket.Select</c> comes here; as a type the name is
    /// still the framework's.</summary>
    private WakeUpSelect Socket => new(_wakeUp);

    private readonly struct WakeUpSelect(LoopbackPair wakeUp)
    {
        /// <summary>Watches the wake-up alone. A wait with an end is taken for one without: nobody may count on
        /// it.</summary>
        public void Select(SocketList? readers, SocketList? writers, List<Socket>? errors, int microseconds)
        {
            Scenario.Require(readers is { Count: 1 } && writers is null && errors is null, "A handle is registered.");
            Worker.Pause("selects", microseconds == 0 ? null : wakeUp.IsReadable);
            if (!wakeUp.IsReadable())
            {
                readers!.Clear();
            }
        }
    }
}
