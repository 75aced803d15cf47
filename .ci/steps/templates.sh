# Makes a program of each template, as a stranger would, with the packed packages: it builds without warnings, passes its
# tests, and works. All files stay below $temp, also the list of installed templates.
use_templates() {
    local folder="$temp/templates" answers
    mkdir -p "$folder"
    cat > "$folder/nuget.config" << EOF
<configuration>
  <config><add key="globalPackagesFolder" value="$cache" /></config>
  <packageSources><add key="packed" value="$packages" /></packageSources>
</configuration>
EOF
    cat > "$folder/Directory.Build.props" << EOF
<Project>
  <PropertyGroup>
    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
    <AnalysisLevel Condition="!\$(MSBuildProjectName.StartsWith('my-host'))">latest-recommended</AnalysisLevel>
    <ManagePackageVersionsCentrally>true</ManagePackageVersionsCentrally>
    <NuGetAudit>false</NuGetAudit>
  </PropertyGroup>
</Project>
EOF
    template install "$packages/SelectReactor.Templates.$version.nupkg"

    # Names that C# would not allow, and those of types and packages that the templates use.
    instantiate hosted my-host.2
    instantiate client class
    instantiate server NUnit
    instantiate server Connection --framing length-prefix
    start_server "$folder/my-host.2/my-host.2/bin/Release/net10.0/my-host.2" \
        --SelectReactor:Servers:main:EndPoint=127.0.0.1:0
    [[ $(ask_line hello) == hello ]] || fail 'The server of selectreactor-hosted gave another answer.'
    stop_server

    start_server "$folder/Connection/Connection/bin/Release/net10.0/Connection" 0
    instantiate client Reactor --framing length-prefix --port "$server_port"
    answers=$(timeout 30 "$folder/Reactor/Reactor/bin/Release/net10.0/Reactor" hello world)
    [[ $answers == $'hello\nworld' ]] || fail "The client got other answers: $answers"
    stop_server
    echo 'Each template gives a program that builds, passes its tests and works.'
}

template() {
    dotnet new "$@" --debug:custom-hive "$temp/hive"
}

# Makes project $2 of template $1, with the further arguments as options, and runs its tests.
instantiate() {
    template "selectreactor-$1" --name "$2" --output "$folder/$2" "${@:3}"
    run_tests "$folder/$2"
}
