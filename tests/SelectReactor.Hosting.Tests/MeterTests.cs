using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace SelectReactor.Hosting.Tests;

/// <summary>The meter of a host.</summary>
public sealed class MeterTests
{
    [Test]
    public async Task Reactors_ReportToTheMeterFactoryOfTheHost()
    {
        HostApplicationBuilder builder = Host.CreateApplicationBuilder();
        builder.Services.AddSelectReactor(options => options.ReactorCount = 3);
        using IHost host = builder.Build();
        await host.StartAsync();
        long reactors = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Scope == host.Services.GetRequiredService<IMeterFactory>()
                    && instrument.Name == "selectreactor.reactors")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<int>((_, value, _, _) => reactors = value);
        listener.Start();
        listener.RecordObservableInstruments();

        Assert.That(reactors, Is.EqualTo(3));
    }
}
