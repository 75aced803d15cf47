# The packages say that they can be trimmed and compiled ahead of time. A program that keeps all of their code, not only what
# it calls, compiles without a warning, and runs.
use_ahead_of_time() {
    local package
    if ! has_native_compiler; then
        skip 'nothing was compiled ahead of time, since there is neither clang nor gcc here.'
        return
    fi

    for package in "${all_packages[@]}"; do
        grep -qaF 'IsTrimmable' "$cache/${package,,}/$version/lib/net10.0/$package.dll" \
            || fail "$package does not say that it can be trimmed."
    done
    create_project "$temp/native/consumer.csproj" '<PublishAot>true</PublishAot>'
    cat > "$temp/native/Directory.Build.targets" << EOF
<Project>
  <ItemGroup>$(printf '<TrimmerRootAssembly Include="%s" />' "${all_packages[@]}")</ItemGroup>
</Project>
EOF
    cp .ci/consumer/Program.cs.txt "$temp/native/Program.cs"
    dotnet publish "$temp/native/consumer.csproj" -c Release --use-current-runtime -o "$temp/native/out"
    timeout 60 "$temp/native/out/consumer"
}

# Publishes samples ahead of time, runs them, and prints what they need. The figures are not judged.
run_native_samples() {
    if ! has_native_compiler; then
        skip 'no sample was compiled ahead of time, since there is neither clang nor gcc here.'
        return
    fi

    timeout 500 env VARIANTS='jit aot' benchmarks/first-seconds.sh 1 4
    rm -rf artifacts/first-seconds
    [[ ! -d samples/AspNetCoreHello ]] || run_native_hello
}

# The ASP.NET Core sample: a page, and one that is serialized.
run_native_hello() {
    local program="$temp/hello/out/AspNetCoreHello" answer path
    local -A answers=([plaintext]='Hello, World!' [json]='{"text":"Hello, World!"}')
    dotnet publish samples/AspNetCoreHello -c Release --use-current-runtime -p:PublishAot=true \
        --artifacts-path "$temp/hello" -o "$temp/hello/out"
    start_server "$program" --port 0
    for path in plaintext json; do
        answer=$(curl -sS --fail --max-time 10 "http://127.0.0.1:$server_port/$path")
        [[ $answer == "${answers[$path]}" ]] || fail "/$path of the native AspNetCoreHello gave: $answer"
        [[ $path == json ]] || printf 'AspNetCoreHello, native: the first answer after %d ms, ' \
            $(((${EPOCHREALTIME/[.,]/} - server_start) / 1000))
    done
    awk -v size="$(stat -c %s "$program")" '$1 == "VmRSS:" { printf "%.1f MB on disk, %.0f MB resident.\n", size / 1e6, $2 / 1024 }' \
        "/proc/$server_pid/status"
    stop_server
}

has_native_compiler() {
    hash clang 2> /dev/null || hash gcc 2> /dev/null
}
