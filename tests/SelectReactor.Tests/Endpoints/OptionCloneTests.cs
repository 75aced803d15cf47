using System.Net;
using System.Reflection;

namespace SelectReactor.Tests.Endpoints;

/// <summary>Copies of options, to be changed.</summary>
public sealed class OptionCloneTests
{
    private static object[] Options =>
    [
        new ListenerOptions { MaxConnections = 7, Tls = new TlsServerOptions(), ProxyProtocol = new() },
        new ConnectOptions { Timeout = TimeSpan.FromSeconds(7), Tls = new TlsClientOptions() },
        new ReconnectOptions { MaxFailures = 7 },
        new ConnectionPoolOptions { MaxConnections = 7 },
        new ReactorGroupOptions { MaxConnections = 7 },
    ];

    [TestCaseSource(nameof(Options))]
    public void Clone_HasAllValues_AndOptionsOfItsOwn(object options) => AssertThatTheyAreApart(
        options, options.GetType().GetMethod("Clone", [])!.Invoke(options, null)!);

    [Test]
    public void Clone_DoesNotCallConfigure_AndSendsOneHeader()
    {
        int calls = 0;
        var options = new ConnectOptions
        {
            Tls = new TlsClientOptions { Configure = _ => calls++ },
            ProxyProtocol = ProxyHeader.Local,
        };

        ConnectOptions clone = options.Clone();

        Assert.That(calls, Is.Zero);
        Assert.That(clone.Steps, Is.Empty);
        Assert.That(clone.Copy().Steps, Has.Count.EqualTo(1));
    }

    private static void AssertThatTheyAreApart(object options, object clone)
    {
        Assert.That(clone, Is.Not.SameAs(options));
        foreach (PropertyInfo property in options.GetType().GetProperties())
        {
            object? value = property.GetValue(options);
            if (value is not null && property.PropertyType.Name.EndsWith("Options", StringComparison.Ordinal))
            {
                AssertThatTheyAreApart(value, property.GetValue(clone)!);
            }
            else
            {
                Assert.That(property.GetValue(clone), Is.EqualTo(value), property.Name);
            }
        }
    }
}
