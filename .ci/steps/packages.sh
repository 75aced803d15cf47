# Two builds of one commit give the same bytes.
pack_twice() {
    pack "$temp/first"
    pack "$packages"
    diff -rq "$temp/first" "$packages" || fail 'A second build gave other packages.'
}

pack() {
    local project
    rm -rf "$pack_folder"
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2> /dev/null || stat -c %Y CHANGELOG.md)
    export SOURCE_DATE_EPOCH
    for project in "${all_packages[@]}" SelectReactor.Templates; do
        dotnet pack "src/$project" -c Release -p:ContinuousIntegrationBuild=true \
            --artifacts-path "$pack_folder" -o "$1" -v q
    done
}

# Restores from the packed files, outside the repository and with a package folder of its own,
# so that neither a project reference nor an older copy can stand in for the package.
use_packages() {
    version=$(property PackageVersion)

    create_project "$temp/consumer/consumer.csproj"
    cp .ci/consumer/Program.cs.txt "$temp/consumer/Program.cs"
    timeout 300 dotnet run -c Release --project "$temp/consumer/consumer.csproj"
}

property() {
    dotnet msbuild src/SelectReactor/SelectReactor.csproj -getProperty:"$1"
}

# The programs on the pages compile against the packages: those that people copy first, and those in F# and VB.
build_programs_of_pages() {
    local package
    build_program README.md csharp
    for package in "${all_packages[@]}"; do
        build_program "src/$package/README.md" csharp
    done

    build_program docs/fsharp-and-vb.md fsharp
    build_program docs/fsharp-and-vb.md vb
}

# Builds the first program of page $1 in language $2.
build_program() {
    local -A extensions=([csharp]=cs [fsharp]=fs [vb]=vb)
    local extension=${extensions[$2]} folder="$temp/programs/$2"
    local project="$folder/program.${extension}proj" program="$folder/Program.$extension"

    create_project "$project"
    [[ $2 != fsharp ]] || sed -i 's|<ItemGroup>|&<Compile Include="Program.fs" />|' "$project"
    awk -v fence="\`\`\`$2" '$0 == fence { inside = 1; next } inside && /^```$/ { exit } inside' "$1" > "$program"
    [[ -s $program ]] || fail "$1 has no program in $2."
    dotnet build -c Release "$project" -v q || fail "The program in $2 of $1 does not compile."
}

# Project file $1 of a program that uses the packages; $2 is a further property.
create_project() {
    mkdir -p "${1%/*}"
    cat > "$1" << EOF
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework>
    <Nullable Condition="'\$(MSBuildProjectExtension)' == '.csproj'">enable</Nullable>
    <ImplicitUsings>enable</ImplicitUsings>
    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
    <NuGetAudit>false</NuGetAudit>
    <RestorePackagesPath>$cache</RestorePackagesPath>
    <RestoreAdditionalProjectSources>$packages</RestoreAdditionalProjectSources>
    ${2:-}
  </PropertyGroup>
  <ItemGroup>
    $(printf "<PackageReference Include=\"%s\" Version=\"[$version]\" />" "${all_packages[@]}")
    <PackageReference Include="Microsoft.Extensions.Hosting" Version="$(property ExtensionsVersion)" />
  </ItemGroup>
</Project>
EOF
}
