#!/usr/bin/env bash
# How fast samples/EchoServer is in its first seconds, for the ways to compile it: server on one core, load on another, 50
# connections with one message of 32 bytes in flight. Prints a Markdown table of medians: milliseconds until the first
# answer, MB on disk and in memory, then processor time and messages for each second since the load began.
#
#     benchmarks/first-seconds.sh [ROUNDS [SECONDS]]     # 3 and 6 by default; needs clang or gcc, and taskset
#
# The environment may say VARIANTS="jit aot", and PUBLISHED=1 if an earlier run has published them.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C
cd "$(dirname "$0")/.."
rounds=${1:-3} seconds=${2:-6}
readonly server_core=0 load_core=1 folder=artifacts/first-seconds
read -ra variants <<< "${VARIANTS:-jit no-pgo no-quick-jit no-tiers r2r aot aot-speed}"
results=$(mktemp)
server=''
trap '[[ -z $server ]] || kill "$server" 2> /dev/null || true; rm -f "$results"' EXIT

# Variants that the program's environment makes share the published folder of jit.
publish() {
    local -A options=([jit]='--no-self-contained' [r2r]='--no-self-contained -p:PublishReadyToRun=true' [aot]='-p:PublishAot=true'
        [aot-speed]='-p:PublishAot=true -p:OptimizationPreference=Speed')
    local name
    for name in "${variants[@]}"; do
        name=${name/no-*/jit}
        [[ ! -x $folder/$name/EchoServer ]] || continue
        # shellcheck disable=SC2086
        dotnet publish samples/EchoServer -c Release --use-current-runtime ${options[$name]} \
            --artifacts-path "$folder/build-$name" -o "$folder/$name" -v quiet >&2
    done
    dotnet build benchmarks/SelectReactor.LoadTest -c Release -v quiet >&2
}

# Starts variant $1 and sets server, port and first_answer (in microseconds).
start() {
    local environment=() started line output connection
    case $1 in
        no-pgo) environment=(DOTNET_TieredPGO=0) ;;
        no-quick-jit) environment=(DOTNET_TC_QuickJit=0) ;;
        no-tiers) environment=(DOTNET_TieredCompilation=0) ;;
    esac
    started=${EPOCHREALTIME/./}
    exec {output}< <(exec env "${environment[@]}" taskset -c $server_core "$folder/${1/no-*/jit}/EchoServer" --port 0)
    server=$!
    IFS= read -r -t 20 line <&"$output" || { echo "$1 does not start." >&2; exit 1; }
    port=${line##*:}
    exec {connection}<> "/dev/tcp/127.0.0.1/$port"
    echo hello >&"$connection"
    IFS= read -r -t 20 line <&"$connection" && [[ $line == hello ]] || { echo "$1 does not answer." >&2; exit 1; }
    first_answer=$((${EPOCHREALTIME/./} - started))
    exec {connection}>&-
}

resident() { awk '$1 == "VmRSS:" { print $2 / 1024 }' "/proc/$server/status"; }

# One line "variant start MB-at-start MB-at-end second:cpu:messages …".
measure() {
    local before load=(dotnet benchmarks/SelectReactor.LoadTest/bin/Release/net10.0/SelectReactor.LoadTest.dll)
    start "$1"
    before=$(resident)
    DOTNET_TieredCompilation=0 timeout $((seconds + 20)) taskset -c $load_core "${load[@]}" load echo --port "$port" \
        --server-pid "$server" --connections 50 --warmup 0 --seconds 1 --intervals "$seconds" > "$results.load"
    {
        printf '%s %s %s %s' "$1" "$first_answer" "$before" "$(resident)"
        sed 's/.*"messages":\([0-9]*\).*"serverCpuSeconds":\([0-9.]*\).*/\1 \2/' "$results.load" \
            | awk '{ printf " %.3f:%d", $2 / $1 * 1e6, $1 }'
        echo
    } | tee -a "$results" >&2
    rm "$results.load"
    kill "$server"
    wait "$server" 2> /dev/null || true
    server=''
}

# What has to be on the server's machine: the published files without symbols.
disk() { find "$folder/${1/no-*/jit}" -type f -not -name '*.dbg' -not -name '*.pdb' -printf '%s\n' | awk '{ s += $1 } END { print s / 1e6 }'; }

[[ -n ${PUBLISHED:-} ]] || publish
for ((round = 0; round < rounds; round++)); do
    order=("${variants[@]}")
    ((round % 2 == 0)) || mapfile -t order < <(printf '%s\n' "${variants[@]}" | tac)
    for variant in "${order[@]}"; do
        measure "$variant"
    done
done

for variant in "${variants[@]}"; do
    echo "disk $variant $(disk "$variant")"
done >> "$results"
awk -v order="${variants[*]}" -v seconds="$seconds" '
    function median(key,   list, n, i, j, t) {
        n = split(values[key], list, " ")
        for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j] + 0 < list[j - 1] + 0; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
        return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
    }
    function add(key, value) { values[key] = values[key] " " value }
    $1 == "disk" { mb[$2] = $3; next }
    {
        add($1 " first", $2 / 1000); add($1 " before", $3); add($1 " after", $4)
        for (i = 5; i <= NF; i++) { split($i, part, ":"); add($1 " cpu " i - 4, part[1]); add($1 " rate " i - 4, part[2]) }
    }
    END {
        line = "| | first answer, ms | MB on disk | MB resident: first answer, end |"; rule = "|---|---:|---:|---:|"
        for (i = 1; i <= seconds; i++) { line = line " second " i ", µs (messages/s) |"; rule = rule "---:|" }
        print line; print rule
        count = split(order, names, " ")
        for (v = 1; v <= count; v++) {
            n = names[v]
            printf "| %s | %.0f | %.1f | %.0f, %.0f |", n, median(n " first"), mb[n], median(n " before"), median(n " after")
            for (i = 1; i <= seconds; i++) printf " %.2f (%d) |", median(n " cpu " i), median(n " rate " i)
            print ""
        }
    }' "$results"
