using SelectReactor.Portability;

return Runner.Run(
    [.. ConnectCases.All, .. TransferCases.All, .. EndCases.All, .. LoopCases.All, .. DatagramCases.All]);
