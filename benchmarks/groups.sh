#!/usr/bin/env bash
# One reactor against two: messages and accepts per second and the server's processor time for each, and the spread of
# connections over two reactors. The load generator needs a core of its own: on two cores, two reactors share what it
# leaves them.
# usage: benchmarks/groups.sh [rounds] [seconds]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly rounds=${1:-3} seconds=${2:-2}
readonly groups=(dotnet benchmarks/SelectReactor.Groups/bin/Release/net10.0/SelectReactor.Groups.dll)
readonly load=(dotnet benchmarks/SelectReactor.LoadTest/bin/Release/net10.0/SelectReactor.LoadTest.dll)

measure() { # reactors sharing work mode connections
    coproc server { exec "${groups[@]}" serve "$1" "$2" "$3"; }
    local port
    read -r port <&"${server[0]}"
    # shellcheck disable=SC2154 # coproc sets it.
    "${load[@]}" load "$4" --port "$port" --server-pid "$server_PID" --connections "$5" \
        --seconds "$seconds" --warmup 1 |
        sed -E 's/.*"seconds":([0-9.e-]+).*"messages":([0-9]+).*"serverCpuSeconds":([0-9.e-]+).*"loadCpuSeconds":([0-9.e-]+).*/\1 \2 \3 \4/I' |
        awk -v what="$1 reactors, $2, $3 us of work, $4, $5 connections" '
            { printf "%-62s %8.0f/s  server %5.2f us each, %3.0f %% of a core; generator %3.0f %%\n",
                what, $2 / $1, 1e6 * $3 / $2, 100 * $3 / $1, 100 * $4 / $1 }'
    kill "$server_PID"
    wait "$server_PID" 2> /dev/null || true
}

if ((seconds > 0)); then
    for ((round = 0; round < rounds; round++)); do
        for work in 0 20 100; do
            measure 1 SharedSocket "$work" echo 64
            measure 2 SharedSocket "$work" echo 64
        done
        measure 1 SharedSocket 0 accept 16
        for sharing in SharedSocket LeastConnections ReusePort; do
            measure 2 "$sharing" 0 accept 16
        done
    done
fi

# Both ends of a connection are in one process, whose limit on open files is often 20,000.
for connections in 100 9900; do
    echo "Spread of $connections connections over two reactors:"
    "${groups[@]}" spread 2 "$connections"
done
