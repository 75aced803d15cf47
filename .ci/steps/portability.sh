# Runs a program that ends with "N passed, N failed", and adds its counts. The output goes through a file, since wine's
# services hold a pipe open when the program has ended.
run_cases() {
    local output="$temp/cases" status=0 counts
    timeout --kill-after=10 240 "$@" > "$output" 2>&1 < /dev/null || status=$?
    cat "$output"
    counts=$(tr -d '\r' < "$output" | sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' | tail -n 1)
    if [[ -z $counts ]]; then
        failed=$((failed + 1))
        fail "The cases ended early, with status $status."
    fi

    passed=$((passed + ${counts% *}))
    failed=$((failed + ${counts#* }))
    ((status == 0)) || fail 'A case failed.'
}

# The same cases as a Windows program. wine has to write below a folder of its own; without symbols, since wine crashes where
# .NET reads them, and without pages that are either writable or executable, which .NET loses track of under wine.
run_cases_under_wine() {
    if ! hash wine 2> /dev/null && ! install_wine > "$temp/install" 2>&1; then
        tail -n 3 "$temp/install"
        skip 'the Windows cases did not run, since wine cannot be installed here.'
        return
    fi

    dotnet publish tests/SelectReactor.Portability -c Release -r win-x64 --self-contained -p:DebugType=none \
        --artifacts-path "$temp/windows" --output "$temp/windows/program"
    export WINEPREFIX="$temp/wine" WINEDEBUG=-all
    unset DISPLAY
    timeout --kill-after=10 120 wineboot --init > "$temp/wineboot" 2>&1 < /dev/null || tail -n 3 "$temp/wineboot"
    DOTNET_EnableWriteXorExecute=0 run_cases wine "$temp/windows/program/SelectReactor.Portability.exe"
    timeout 30 wineserver --kill || true
}

install_wine() {
    timeout 120 apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive timeout 300 apt-get install -y -qq --no-install-recommends wine wine64
}
