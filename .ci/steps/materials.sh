# Writes the bill of materials of each package, twice: both times the same, with what the package depends on.
write_bills_of_materials() {
    local bill file count=0
    tools/sbom.sh "$packages"
    tools/sbom.sh "$temp/first"
    diff -rq "$temp/first" "$packages" || fail 'A second bill of materials differs.'
    for bill in "$packages"/*.spdx.json; do
        file="${bill%.spdx.json}.nupkg"
        grep -qF "$(sha256sum "$file" | cut -d' ' -f1)" "$bill" || fail "$bill has another hash of its package."
        ((++count))
    done
    ((count == ${#all_packages[@]} + 1)) || fail "There are $count bills of materials."
    grep -qF 'pkg:nuget/Microsoft.Extensions.Logging.Abstractions@' "$packages/SelectReactor.$version.spdx.json" \
        || fail 'The bill of materials lacks what the core depends on.'
}
