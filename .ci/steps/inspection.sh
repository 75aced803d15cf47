# Looks at package $1 as the consumer's restore unpacked it; the further arguments are its dependencies.
inspect_package() {
    local id=${1,,}
    local folder="$cache/$id/$version" file dependencies
    cmp "$folder/$id.$version.nupkg" "$packages/$1.$version.nupkg" || fail 'The consumer used another package.'

    for file in README.md icon.png "lib/net10.0/$1.dll" "lib/net10.0/$1.xml"; do
        [[ -s "$folder/$file" ]] || fail "$1 lacks $file."
    done
    [[ -s "$packages/$1.$version.snupkg" ]] || fail "$1 has no symbol package."

    inspect_metadata "$1" "$folder/$id.nuspec"
    inspect_readme "$1" "$folder/README.md"
    inspect_documentation "$1" "$folder/lib/net10.0/$1.xml"
    ! grep -qaF "$PWD" "$folder/lib/net10.0/$1.dll" "$folder/$id.nuspec" || fail "$1 contains a path of this machine."

    dependencies=$(sed -n 's/.*<dependency id="\([^"]*\)".*/\1/p' "$folder/$id.nuspec" | sort | xargs)
    [[ $dependencies == "$(printf '%s\n' "${@:2}" | sort | xargs)" ]] || fail "$1 depends on: $dependencies"
    echo "$1 $version: files, metadata, README, documentation and dependencies are as they should be."
}

# The core's package brings the rules for its users' code: the compiler reports a mistake in a project that only refers to
# the package.
inspect_analyzers() {
    local project="$temp/mistake/mistake.csproj" id=selectreactor file output
    for file in SelectReactor.Analyzers.dll SelectReactor.Analyzers.CodeFixes.dll; do
        [[ -s "$cache/$id/$version/analyzers/dotnet/cs/$file" ]] || fail "SelectReactor lacks $file."
        ! grep -qaF "$PWD" "$cache/$id/$version/analyzers/dotnet/cs/$file" || fail "$file contains a path of this machine."
    done

    create_project "$project"
    printf '%s\n' 'using SelectReactor;' 'using var reactor = new Reactor();' \
        'reactor.Post(async () => await Task.Delay(1));' > "${project%/*}/Program.cs"
    output=$(dotnet build -c Release "$project" -v q 2>&1) && fail 'The compiler does not check the rules of SelectReactor.'
    grep -qF 'error SR0001' <<< "$output" || fail "The compiler reports something else: $output"
}

# The package of templates holds all of them, with the versions of this repository and no others.
inspect_templates() {
    local id=SelectReactor.Templates folder="$temp/inspected" files versions
    unzip -q "$packages/$id.$version.nupkg" -d "$folder"
    inspect_metadata "$id" "$folder/$id.nuspec"
    inspect_readme "$id" "$folder/README.md"
    grep -qF '<packageType name="Template" />' "$folder/$id.nuspec" || fail "$id is not a package of templates."
    ! grep -q '<dependency ' "$folder/$id.nuspec" || fail "$id has dependencies."
    files=$(cd "src/$id/content" && find . -type f -not -path './shared/*' | wc -l)
    ((files + 3 == $(find "$folder/content" -type f | wc -l))) || fail "$id lacks files, or has others."
    ! grep -rq ' Version="[^0-9]' --include='*.csproj' "$folder/content" || fail "$id lacks versions."
    versions=$(sed -n 's/.*Include="SelectReactor[^"]*" Version="\([^"]*\)".*/\1/p' \
        "$folder"/content/*/*/*.csproj | sort -u)
    [[ $versions == "$version" ]] || fail "$id has versions of the packages: $versions"
    echo "$id $version: files, metadata, README and versions are as they should be."
}

# What the list of packages shows of package $1, from its nuspec $2.
inspect_metadata() {
    local url element
    url=$(property ProjectUrl)
    for element in '<license type="expression">MIT</license>' "<projectUrl>$url</projectUrl>" \
        "<repository type=\"git\" url=\"$url\" " \
        '<icon>icon.png</icon>' '<readme>README.md</readme>' '<tags>reactor ' '<description>'; do
        grep -qF "$element" "$2" || fail "$1's metadata lacks $element"
    done
    sed -n '/<releaseNotes>/,/<\/releaseNotes>/p' "$2" | grep -c '^- ' > /dev/null || fail "$1 has no release notes."
}

# The page of package $1 is its own, and its links lead to the project's page, since relative ones are dead there.
inspect_readme() {
    local url links
    url=$(property ProjectUrl)
    cmp "src/$1/README.md" "$2" || fail "$1's README is not its own."
    [[ $(head -n 1 "$2") == "# $1" ]] || fail "The first line of $1's README is not its name."
    grep -qE "dotnet (add package|new install) $1\$" "$2" || fail "$1's README does not say how to add it."

    links=$(grep -oE '\]\([^)]*\)|\]: .*|(src|href)="[^"]*"' "$2" | grep -vF "]($url" || true)
    [[ -z $links ]] || fail "$1's README links elsewhere: $links"
}

# XML file $2 documents only the types that PublicAPI.*.txt of package $1 lists, and their members.
inspect_documentation() {
    local others
    others=$(awk -v names="src/$1/PublicAPI.Shipped.txt src/$1/PublicAPI.Unshipped.txt" '
        BEGIN {
            count = split(names, files, " ")
            for (i = 1; i <= count; i++)
                while ((getline line < files[i]) > 0) {
                    gsub(/<[^>]*>/, "", line)
                    if (line ~ /^[A-Za-z_.]+$/) types[line] = 1
                }
        }
        match($0, /<member name="[^"]*"/) {
            name = substr($0, RSTART + 14, RLENGTH - 15)
            is_type = name ~ /^T:/
            sub(/^[A-Z]:/, "", name)
            sub(/\(.*/, "", name)
            gsub(/`+[0-9]+|\.&lt;G&gt;\$[0-9A-F]*/, "", name)
            if (!is_type) sub(/\.[^.]*$/, "", name)
            if (!(name in types)) print name
        }' "$2" | sort -u)
    [[ -z $others ]] || fail "$1's documentation contains what users cannot see: $others"
    grep -q '<member name="T:' "$2" || fail "$1's documentation is empty."
}
