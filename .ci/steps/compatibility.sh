# Whether a program that was compiled against the last release still runs: when a package is packed, package validation
# compares it with the release that BaselineVersion names (Directory.Build.props). While there is none, this shows that the
# comparison works: it finds nothing between a package and itself, and a member that is missing.
check_compatibility() {
    local package broken="$temp/broken" member='public bool UsesCrLf' output
    dotnet tool restore
    for package in "${all_packages[@]}"; do
        compare_api "$(assembly "$package")" "$(assembly "$package")" || fail "$package is not compatible with itself."
    done

    # The core once more, with one member that users no longer see.
    mkdir "$broken"
    cp -r src tools Directory.* global.json CHANGELOG.md icon.png "$broken"
    sed -i "s/$member/internal ${member#public }/" "$broken/src/SelectReactor/Framing/LineEncoder.cs"
    dotnet build "$broken/src/SelectReactor" -c Release -v quiet -p:RunAnalyzers=false -p:TreatWarningsAsErrors=false \
        -p:NoWarn=all --artifacts-path "$broken/artifacts"
    output=$(compare_api "$(assembly SelectReactor)" "$broken/artifacts/bin/SelectReactor/release/SelectReactor.dll") \
        && fail 'The comparison does not find a member that is missing.'
    grep -F 'CP0002' <<< "$output" | grep -F 'LineEncoder.UsesCrLf' || fail "The comparison finds something else: $output"
    echo 'The comparison with a baseline finds what is missing, and nothing else.'
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
