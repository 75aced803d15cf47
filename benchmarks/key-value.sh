#!/usr/bin/env bash
# The sample key-value server beside redis-server, under redis-benchmark: server on one core, load on another, in ABBA
# order. Prints a Markdown table: median rates, median of the ratios to redis with their range, CPU time per command.
#
#     benchmarks/key-value.sh [ROUNDS]        # an even number, 8 by default; needs redis-server, redis-benchmark, taskset
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C
cd "$(dirname "$0")/.."
rounds=${1:-8}
server_core=0 load_core=1 port=7390
servers=(redis select epoll)
declare -A pids ports
results=$(mktemp)
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -f "$results"' EXIT

for tool in redis-server redis-benchmark taskset; do
    command -v "$tool" >/dev/null || { echo "$tool is needed." >&2; exit 1; }
done
dotnet build -c Release -v quiet --disable-build-servers samples/KeyValueServer >&2

for server in "${servers[@]}"; do
    ports[$server]=$((port++))
    if [ "$server" = redis ]; then
        taskset -c $server_core redis-server --port "${ports[$server]}" --bind 127.0.0.1 --save "" --appendonly no >/dev/null &
    else
        taskset -c $server_core dotnet samples/KeyValueServer/bin/Release/net10.0/KeyValueServer.dll \
            --port "${ports[$server]}" --selector "$server" >/dev/null &
    fi
    pids[$server]=$!
done

cpu_ticks() { sed 's/.*) //' "/proc/${pids[$1]}/stat" | awk '{ print $12 + $13 }'; }

# measure SERVER DEPTH TEST COMMANDS: one line "rate cpu-microseconds".
measure() {
    local before rate
    before=$(cpu_ticks "$1")
    rate=$(timeout 60 taskset -c $load_core redis-benchmark -p "${ports[$1]}" -c 50 -P "$2" -n "$4" -r 100000 -t "$3" --csv \
        | tail -1 | cut -d'"' -f4)
    [[ $rate =~ ^[0-9.]+$ ]] || { echo "$1 failed in $3 at -P $2." >&2; return 1; }
    echo "$rate" "$(awk -v t=$(($(cpu_ticks "$1") - before)) -v n="$4" -v hz="$(getconf CLK_TCK)" 'BEGIN { print t / hz / n * 1e6 }')"
}

for server in "${servers[@]}"; do
    for try in {1..50}; do
        (exec 3<>"/dev/tcp/127.0.0.1/${ports[$server]}") 2>/dev/null && break
        [ "$try" -lt 50 ] || { echo "$server does not answer." >&2; exit 1; }
        sleep 0.1
    done
    for test in ping_mbulk set get; do
        measure "$server" 16 $test 1000000 >/dev/null
        measure "$server" 1 $test 100000 >/dev/null
    done
done

for ((round = 0; round < rounds; round++)); do
    order=("${servers[@]}")
    ((round % 2 == 0)) || order=(epoll select redis)
    for depth in 1 16; do
        commands=$((depth == 1 ? 150000 : 1500000))
        for test in ping_mbulk set get; do
            for server in "${order[@]}"; do
                figures=$(measure "$server" $depth $test $commands)
                echo "$depth $test $round $server $figures" >>"$results"
            done
        done
    done
    echo "round $((round + 1)) of $rounds" >&2
done

awk '
    function median(list, n,   i, j, t) {
        for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
        return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
    }
    { rate[$1, $2, $3, $4] = $5; cpu[$1, $2, $3, $4] = $6; if ($3 >= rounds) rounds = $3 + 1 }
    END {
        print "| command | -P | server | commands/s | x redis | CPU us a command |"
        print "|---|---:|---|---:|---:|---:|"
        tests = split("ping_mbulk set get", test); split("1 16", depth); split("redis select epoll", server)
        for (d = 1; d <= 2; d++) for (t = 1; t <= tests; t++) for (s = 1; s <= 3; s++) {
            for (r = 0; r < rounds; r++) {
                rates[r + 1] = rate[depth[d], test[t], r, server[s]]
                cpus[r + 1] = cpu[depth[d], test[t], r, server[s]]
                ratios[r + 1] = rates[r + 1] / rate[depth[d], test[t], r, "redis"]
            }
            middle = median(ratios, rounds)
            printf "| %s | %s | %s | %.0f | %.2f (%.2f–%.2f) | %.2f |\n", toupper(test[t] == "ping_mbulk" ? "ping" : test[t]), \
                depth[d], server[s], median(rates, rounds), middle, ratios[1], ratios[rounds], median(cpus, rounds)
        }
    }' "$results"
