# Builds the API reference, docs/api, from the packed assemblies and their documentation. A warning fails, and so does a
# reference of ours that leads nowhere: the compiler has resolved it, but users cannot see what is internal.
build_reference() {
    local folder=artifacts/reference package broken
    rm -rf "$folder" docs/api
    mkdir -p "$folder"
    for package in "${all_packages[@]}"; do
        cp "$cache/${package,,}/$version/lib/net10.0/$package".{dll,xml} "$folder"
    done

    dotnet tool restore
    dotnet tool run docfx docs/docfx.json --warningsAsErrors --logLevel warning
    [[ -s docs/api/SelectReactor.Reactor.html ]] || fail 'The reference lacks the reactor.'
    broken=$(grep -rhoE '<span class="xref">SelectReactor\.[^<]*' docs/api | sort -u || true)
    [[ -z $broken ]] || fail "References that lead nowhere: $broken"
    echo "The API reference has $(find docs/api -name '*.html' | wc -l) pages, and its references lead somewhere."
}
