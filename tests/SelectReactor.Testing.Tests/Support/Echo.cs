using System.Buffers;
using System.IO.Pipelines;

namespace SelectReactor.Testing.Tests.Support;

/// <summary>Sends back what it receives.</summary>
internal sealed class Echo : IConnectionHandler
{
    public void OnReadable(Connection connection)
    {
        if (connection.Input.TryRead(out ReadResult result))
        {
            foreach (ReadOnlyMemory<byte> segment in result.Buffer)
            {
                connection.Output.Write(segment.Span);
            }

            connection.Input.AdvanceTo(result.Buffer.End);
        }
    }
}
