namespace SelectReactor.Analyzers.Tests;

public sealed class ConsumeTests
{
    [TestCase("if ({|SR0009:connection.Input.TryRead(out var result)|}) Console.WriteLine(result.Buffer.Length);")]
    [TestCase("var input = connection.Input; {|SR0009:input.TryRead(out var result)|}; Take(result.Buffer);")]
    [TestCase("{|SR0009:connection.Input.TryRead(out var result)|}; connection.Append(result.Buffer);")]
    [TestCase("{|SR0009:connection.Input.TryRead(out var result)|}; Answer(connection); Take(result.Buffer);")]
    [TestCase("{|SR0009:connection.Input.TryRead(out var result)|}; connection.Send(_encoder, result.Buffer);")]
    public Task AReadThatNothingConsumes_IsReported(string statements) => VerifyAsync(statements);

    [TestCase("if (connection.Input.TryRead(out var result)) connection.Input.AdvanceTo(result.Buffer.End);")]
    [TestCase("connection.Input.TryRead(out var result); Take(result.Buffer); Advance(connection.Input, result);",
        "void Advance(PipeReader input, ReadResult result) => input.AdvanceTo(result.Buffer.End);")]
    [TestCase("connection.Input.TryRead(out var result); Take(result.Buffer); Other.Consume(connection);")]
    [TestCase("connection.Input.TryRead(out var result); Take(result.Buffer); Other.Consume(connection.Input);")]
    [TestCase("connection.Input.TryRead(out var result); Take(result.Buffer); new Other(connection);")]
    [TestCase("connection.Input.TryRead(out var result); Take(result.Buffer); Consume(connection);",
        "protected virtual void Consume(Connection connection) { }")]
    [TestCase("connection.Input.TryRead(out var result); Take(result.Buffer); _later(connection);",
        "Action<Connection> _later = _ => { };")]
    [TestCase("if (connection.Input.TryRead(out _)) connection.Close();")]
    [TestCase("connection.Input.TryRead(out _); connection.Input.CopyToAsync(Stream.Null);")]
    [TestCase("connection.Input.TryRead(out _); connection.ReadMessageAsync(new LineDecoder(10));")]
    [TestCase("connection.AsStream().ReadByte();")]
    [TestCase("connection.Input.TryRead(out var result); Console.WriteLine(result.IsCompleted);")]
    public Task OtherCode_IsRight(string statements, string member = "") => VerifyAsync(statements, member);

    [Test]
    public Task AnAsyncHandler_IsReported_AndOtherClassesAreNot() => AnalyzerTest.VerifyAsync<ConsumeAnalyzer>("""
        class Tested : AsyncConnectionHandler
        {
            protected override async Task ServeAsync(Connection connection, CancellationToken closed)
            {
                ReadResult result;
                do
                {
                    result = await {|SR0009:connection.Input.ReadAsync(closed)|};
                    Console.WriteLine(result.Buffer.Length);
                }
                while (!result.IsCompleted);
            }
        }

        class Base : ConnectionHandler
        {
            public override void OnReadable(Connection connection)
            {
                connection.Input.TryRead(out var result);
                connection.Input.AdvanceTo(result.Buffer.End);
            }
        }

        class Derived : Base
        {
            public override void OnReadable(Connection connection) => connection.Input.TryRead(out _);
        }

        class NoHandler
        {
            void Look(Connection connection) => connection.Input.TryRead(out _);
        }
        """);

    private static Task VerifyAsync(string statements, string member = "") =>
        AnalyzerTest.VerifyAsync<ConsumeAnalyzer>($$"""
        class Tested : ConnectionHandler
        {
            private readonly MessageEncoder<ReadOnlySequence<byte>> _encoder = null!;

            public override void OnReadable(Connection connection)
            {
                {{statements}}
            }

            void Take(ReadOnlySequence<byte> bytes) => Console.WriteLine($"{bytes.Length} {_encoder}");
            void Answer(Connection connection) => connection.TryWrite([1]);
            {{member}}
        }

        class Other
        {
            public Other(Connection connection) { }
            public static void Consume(Connection connection) { }
            public static void Consume(PipeReader input) { }
        }
        """);
}
