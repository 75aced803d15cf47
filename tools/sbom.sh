#!/usr/bin/env bash
# Writes a bill of materials (SPDX 2.2) beside each package of a folder, as ID.VERSION.spdx.json: the package and its hashes,
# and the packages that it was built from. Beside, not inside, since a file cannot hold the hash of the package around it.
# The same packages give the same bytes.
#
#     tools/sbom.sh FOLDER        # needs jq, and a restore of the solution before
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$(cd "$OLDPWD" && realpath "$1")
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
url=$(dotnet msbuild src/SelectReactor/SelectReactor.csproj -getProperty:ProjectUrl)
version=$(dotnet msbuild src/SelectReactor/SelectReactor.csproj -getProperty:PackageVersion)

dotnet tool restore > "$temp/log"
for package in "$folder"/*."$version".nupkg; do
    id=$(basename "$package" ".$version.nupkg")
    mkdir -p "$temp/$id/drop" "$temp/$id/sbom"
    cp "$folder/$id.$version".*nupkg "$temp/$id/drop"
    dotnet tool run sbom-tool generate -b "$temp/$id/drop" -bc "src/$id" -m "$temp/$id/sbom" -pn "$id" -pv "$version" \
        -ps 'SelectReactor contributors' -nsb "$url" -nsu "$id.$version" -gt "$(date -u -d "@$epoch" +%FT%TZ)" -V Error \
        > "$temp/log" || { cat "$temp/log"; exit 1; }
    # The tool's order, and one of its identifiers, change from run to run.
    jq '.files |= sort_by(.SPDXID) | .packages |= sort_by(.SPDXID) | .relationships |= sort_by(tostring)
        | .packages[].hasFiles? |= (values | sort)
        | (.packages[].externalRefs[].referenceLocator |= sub("[?]tag_id=.*"; ""))' \
        "$temp/$id/sbom/_manifest/spdx_2.2/manifest.spdx.json" > "$folder/$id.$version.spdx.json"
done
