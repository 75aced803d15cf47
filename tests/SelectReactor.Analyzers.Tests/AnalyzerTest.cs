using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Testing;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;

namespace SelectReactor.Analyzers.Tests;

/// <summary>Runs a rule over code against the library. <c>{|SR0001:code|}</c> marks what the rule must report; it must
/// report nothing else.</summary>
internal static class AnalyzerTest
{
    private const string Usings = """
        global using System;
        global using System.Buffers;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.IO.Pipelines;
        global using System.Linq;
        global using System.Net;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using SelectReactor;
        """;

    // What this process runs on: nothing is downloaded.
    private static readonly MetadataReference[] _references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(static file =>
                Path.GetDirectoryName(file) == Path.GetDirectoryName(typeof(object).Assembly.Location)
                || Path.GetFileName(file) is "SelectReactor.dll" or "Microsoft.Extensions.Logging.Abstractions.dll")
            .Select(static file => MetadataReference.CreateFromFile(file)),
    ];

    /// <summary>The rule reports what is marked, and nothing else.</summary>
    public static Task VerifyAsync<TAnalyzer>(params string[] files)
        where TAnalyzer : DiagnosticAnalyzer, new() =>
        SetUp(new CSharpCodeFixTest<TAnalyzer, EmptyCodeFixProvider, DefaultVerifier>(), files).RunAsync();

    /// <summary>The rule reports something with a message, and nothing else.</summary>
    public static Task VerifyAsync<TAnalyzer>(string code, DiagnosticResult expected)
        where TAnalyzer : DiagnosticAnalyzer, new()
    {
        CodeFixTest<DefaultVerifier> test =
            SetUp(new CSharpCodeFixTest<TAnalyzer, EmptyCodeFixProvider, DefaultVerifier>(), [code]);
        test.ExpectedDiagnostics.Add(expected.WithDefaultPath("/0/Test0.cs"));
        return test.RunAsync();
    }

    /// <summary>The same, and the fix makes other code of it.</summary>
    public static Task VerifyFixAsync<TAnalyzer, TFix>(string code, string fixedCode)
        where TAnalyzer : DiagnosticAnalyzer, new()
        where TFix : CodeFixProvider, new()
    {
        CodeFixTest<DefaultVerifier> test = SetUp(new CSharpCodeFixTest<TAnalyzer, TFix, DefaultVerifier>(), [code]);
        test.FixedState.Sources.Add(fixedCode);
        test.FixedState.Sources.Add(("Usings.cs", Usings));
        return test.RunAsync();
    }

    private static CodeFixTest<DefaultVerifier> SetUp(CodeFixTest<DefaultVerifier> test, string[] files)
    {
        test.ReferenceAssemblies = new ReferenceAssemblies("net10.0");
        test.TestState.AdditionalReferences.AddRange(_references);
        foreach (string file in files)
        {
            test.TestState.Sources.Add(file);
        }

        test.TestState.Sources.Add(("Usings.cs", Usings));
        bool isProgram = files.Any(static file => file.Contains("new Reactor();\n", StringComparison.Ordinal)
            && !file.Contains("class Tested", StringComparison.Ordinal));
        test.TestState.OutputKind = isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary;
        test.SolutionTransforms.Add(static (solution, id) => solution.WithProjectParseOptions(
            id, new CSharpParseOptions(LanguageVersion.CSharp14)));
        return test;
    }
}
