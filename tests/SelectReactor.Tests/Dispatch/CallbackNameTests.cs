using SelectReactor.Dispatch;
using SelectReactor.Endpoints;

namespace SelectReactor.Tests.Dispatch;

public sealed class CallbackNameTests
{
    private const string Here = "SelectReactor.Tests.Dispatch.CallbackNameTests";
    private Action? _continuation;

    [Test]
    public void AHandler_IsItsType() => Assert.That(Of(new Inner()), Is.EqualTo($"{Here}.Inner"));

    [Test]
    public void AMethod_IsItsName() => Assert.That(Of((Action)AMethod_IsItsName), Is.EqualTo(
        $"{Here}.{nameof(AMethod_IsItsName)}"));

    [Test]
    public void ALambda_IsTheMethodAroundIt()
    {
        int local = 0;

        Assert.That(Of(static () => { }), Is.EqualTo($"a lambda in {Here}.{nameof(ALambda_IsTheMethodAroundIt)}"));
        Assert.That(Of(() => local++), Is.EqualTo($"a lambda in {Here}.{nameof(ALambda_IsTheMethodAroundIt)}"));
    }

    [Test]
    public void ACallbackAsTheArgumentOfAnother_IsTheOneThatMatters() => Assert.That(
        CallbackName.Of((Action<object?>)(static _ => { }), (Action)AHandler_IsItsType),
        Is.EqualTo($"{Here}.{nameof(AHandler_IsItsType)}"));

    [Test]
    public void CodeAfterAnAwait_IsItsMethod()
    {
        SynchronizationContext? before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        _ = Serve();
        SynchronizationContext.SetSynchronizationContext(before);

        Assert.That(Of(_continuation!), Is.EqualTo($"{Here}.{nameof(Serve)}"));
        Assert.That(CallbackName.Of(null, _continuation!.Target), Is.EqualTo($"{Here}.{nameof(Serve)}"));
    }

    [Test]
    public void AnInvocation_IsItsFunction()
    {
        using var reactor = new Reactor();
        var invocation = new FunctionInvocation<int>(reactor, static () => 1, (Func<int>)One);

        Assert.That(
            CallbackName.Of((Action<object?>)(static _ => { }), invocation), Is.EqualTo($"{Here}.{nameof(One)}"));
    }

    [Test]
    public void AHandlerOfAMethod_IsTheMethod()
    {
        IConnectionHandler handler = Handlers.Of(ServeAsync)(null!);

        Assert.That(Of(handler), Is.EqualTo($"{Here}.{nameof(ServeAsync)}"));
    }

    [Test]
    public void AHandlerThatIsCalledForAConnection_NamesIt()
    {
        IConnectionHandler handler = Handlers.Of(ServeAsync)(null!);

        Assert.That(
            CallbackName.Of(handler, new Greeting()),
            Is.EqualTo($"{Here}.{nameof(ServeAsync)} (greeting with 127.0.0.1:7)"));
    }

    [Test]
    public void WhatIsDoneBeforeAConnectionOpens_SaysItself() =>
        Assert.That(Of(new Greeting()), Is.EqualTo("greeting with 127.0.0.1:7"));

    [Test]
    public void Nothing_IsACallback() => Assert.That(CallbackName.Of(null, null), Is.EqualTo("a callback"));

    private sealed class Greeting : IOpening
    {
        public void BeginStop(StopPhase phase)
        {
        }

        public override string ToString() => "greeting with 127.0.0.1:7";
    }

    private static int One() => 1;

    private static Task ServeAsync(Connection connection, CancellationToken closed) => Task.CompletedTask;

    private static string Of(object code) => CallbackName.Of(code, null);

    private static string Of(Action code) => CallbackName.Of(code, null);

    private async Task Serve() => await new Catcher(this);

    private sealed class Inner;

    /// <summary>Awaits for ever, and keeps what would go on.</summary>
    private sealed class Catcher(CallbackNameTests test) : System.Runtime.CompilerServices.INotifyCompletion
    {
        public bool IsCompleted { get; }

        public Catcher GetAwaiter() => this;

        public void GetResult() => throw new InvalidOperationException("It never completes.");

        public void OnCompleted(Action continuation) => test._continuation = continuation;
    }
}
