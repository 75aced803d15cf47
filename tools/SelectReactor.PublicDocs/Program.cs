// Removes from the compiler's XML file the documentation of everything that users of the assembly cannot see. The
// compiler has no option for it. Usage: SelectReactor.PublicDocs <assembly> <XML file>
using System.Xml.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

if (args is not [var assemblyFile, var documentationFile])
{
    Console.Error.WriteLine("Usage: SelectReactor.PublicDocs <assembly> <XML file>");
    return 2;
}

var visible = new HashSet<string>();
var hidden = new HashSet<string>();
Collect(Load(assemblyFile).GlobalNamespace, isVisible: true);

var documentation = XDocument.Load(documentationFile, LoadOptions.PreserveWhitespace);
var unknown = new List<string>();
foreach (var member in documentation.Descendants("member").ToList())
{
    string id = member.Attribute("name")!.Value;
    if (visible.Contains(id)) continue;
    if (!hidden.Contains(id)) unknown.Add(id);
    if (member.PreviousNode is XText indentation) indentation.Remove();
    member.Remove();
}

// A name that no member has is one that this program does not understand: it stops before it removes too much.
if (unknown.Count > 0) return Fail($"documents what {assemblyFile} does not contain", unknown);

var dead = documentation.Descendants().Attributes("cref").Select(cref => cref.Value).Where(hidden.Contains).ToList();
if (dead.Count > 0) return Fail("refers to what users cannot see", dead);

documentation.Save(documentationFile, SaveOptions.DisableFormatting);
return 0;

int Fail(string what, IEnumerable<string> names)
{
    Console.Error.WriteLine($"{documentationFile}: error: the documentation {what}: {string.Join(", ", names)}");
    return 1;
}

static IAssemblySymbol Load(string file)
{
    // Types of other packages may be missing: their names suffice.
    string framework = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
    var references = framework.Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path));
    var assembly = MetadataReference.CreateFromFile(file);
    var options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary)
        .WithMetadataImportOptions(MetadataImportOptions.All);
    var compilation = CSharpCompilation.Create("Reader", references: [.. references, assembly], options: options);
    return (IAssemblySymbol)compilation.GetAssemblyOrModuleSymbol(assembly)!;
}

void Collect(INamespaceOrTypeSymbol container, bool isVisible)
{
    foreach (var member in container.GetMembers())
    {
        bool isMemberVisible = isVisible && (member is INamespaceSymbol || IsAccessible(member.DeclaredAccessibility));
        if (member.GetDocumentationCommentId() is { } id) (isMemberVisible ? visible : hidden).Add(id);
        if (member is INamespaceOrTypeSymbol inner) Collect(inner, isMemberVisible);
    }
}

static bool IsAccessible(Accessibility accessibility) =>
    accessibility is Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal;
