# Whether a program that was compiled against the last release still runs: when a package is packed, package validation
# compares it with the release that BaselineVersion names (Directory.Build.props). While there is none, this packs the core
# as a later version with this one as the baseline: nothing is found, and then a member that is missing. The tool, which
# compares two assemblies, finds the same.
check_compatibility() {
    local package next="$temp/next" member='public bool UsesCrLf' output
    dotnet tool restore
    for package in "${all_packages[@]}"; do
        compare_api "$(assembly "$package")" "$(assembly "$package")" || fail "$package is not compatible with itself."
    done

    mkdir "$next"
    cp -r src tools Directory.* global.json CHANGELOG.md icon.png "$next"
    pack_next "$next" || fail 'Packing finds that the core is not compatible with itself.'

    # The core once more, with one member that users no longer see.
    sed -i "s/$member/internal ${member#public }/" "$next/src/SelectReactor/Framing/LineEncoder.cs"
    output=$(pack_next "$next") && fail 'Packing does not find a member that is missing.'
    expect_missing "$output"
    output=$(compare_api "$(assembly SelectReactor)" "$next/artifacts/bin/SelectReactor/release/SelectReactor.dll") \
        && fail 'The comparison does not find a member that is missing.'
    expect_missing "$output"
    echo 'The comparison with a baseline finds what is missing, and nothing else.'
}

# Packs the core of folder $1 as a later version, with that of this run as its baseline. The packages of this run are in no
# package folder that other builds use.
pack_next() {
    dotnet pack "$1/src/SelectReactor" -c Release -v quiet --artifacts-path "$1/artifacts" -o "$1/packages" \
        -p:VersionPrefix=99.0.0 -p:BaselineVersion="$version" -p:RunAnalyzers=false -p:TreatWarningsAsErrors=false \
        -p:RestoreAdditionalProjectSources="$packages" -p:RestorePackagesPath="$cache" \
        -p:RestoreFallbackFolders="${NUGET_PACKAGES:-$HOME/.nuget/packages}" 2>&1
}

expect_missing() {
    grep -F 'CP0002' <<< "$1" | grep -F 'LineEncoder.UsesCrLf' || fail "The comparison finds something else: $1"
}

# The assembly of package $1, as the consumer's restore unpacked it.
assembly() {
    echo "$cache/${1,,}/$version/lib/net10.0/$1.dll"
}

# Fails, and says what, when a user of assembly $1 would miss something in assembly $2.
compare_api() {
    local references runtime
    runtime=$(dotnet --list-runtimes | sed -n 's|^Microsoft.NETCore.App \([^ ]*\) \[\(.*\)\]|\2/\1|p' | tail -n 1)
    references="$runtime,$temp/consumer/bin/Release/net10.0"
    dotnet tool run apicompat -l "$1" -r "$2" --lref "$references" --rref "$references" 2>&1
}
