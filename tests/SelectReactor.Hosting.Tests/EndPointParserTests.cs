using System.Net;
using System.Net.Sockets;

namespace SelectReactor.Hosting.Tests;

/// <summary>End points in configuration.</summary>
public sealed class EndPointParserTests
{
    [TestCase("127.0.0.1:7007", "127.0.0.1:7007")]
    [TestCase("0.0.0.0:0", "0.0.0.0:0")]
    [TestCase("[::1]:7007", "[::1]:7007")]
    [TestCase("*:80", "[::]:80")]
    [TestCase("localhost:65535", "127.0.0.1:65535")]
    [TestCase("unix:/run/echo.sock", "/run/echo.sock")]
    public void AServer_ListensThere(string text, string expected) =>
        Assert.That(EndPointParser.TryParse(text, isServer: true)?.ToString(), Is.EqualTo(expected));

    [TestCase("example.com:7007", typeof(DnsEndPoint))]
    [TestCase("localhost:7007", typeof(DnsEndPoint))]
    [TestCase("10.0.0.1:7007", typeof(IPEndPoint))]
    [TestCase("[fd00::1]:7007", typeof(IPEndPoint))]
    [TestCase("unix:/run/echo.sock", typeof(UnixDomainSocketEndPoint))]
    public void AClient_ConnectsThere(string text, Type kind) =>
        Assert.That(EndPointParser.TryParse(text, isServer: false), Is.TypeOf(kind));

    [TestCase("", true)]
    [TestCase("7007", true)]
    [TestCase(":7007", true)]
    [TestCase("127.0.0.1", true)]
    [TestCase("127.0.0.1:", true)]
    [TestCase("127.0.0.1:65536", true)]
    [TestCase("127.0.0.1:-1", true)]
    [TestCase("127.0.0.1: 7", true)]
    [TestCase("::1:7007", true)]
    [TestCase("[127.0.0.1]:7007", true)]
    [TestCase("[::1:7007", true)]
    [TestCase("example.com:7007", true)]
    [TestCase("unix:", true)]
    [TestCase("127.0.0.1:0", false)]
    [TestCase("example.com", false)]
    public void WhatIsNoEndPoint_IsNull(string text, bool isServer) =>
        Assert.That(EndPointParser.TryParse(text, isServer), Is.Null);
}
