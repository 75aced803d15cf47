#!/usr/bin/env bash
# The sample web application on this transport and on Kestrel's own, under wrk: server on one core, load on another, in
# ABBA order. Prints a Markdown table: median rates, median of the ratios to Kestrel's own transport with their range,
# and CPU time per request.
#
#     benchmarks/aspnetcore.sh [ROUNDS] [SECONDS] [CASES]   # 4 rounds of 2 seconds by default; needs wrk, taskset
#
# CASES is a list of: plaintext pipelined json https idle idle-https. The last two print the memory of 5,000 and 2,000
# idle connections.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C
cd "$(dirname "$0")/.."
rounds=${1:-4} seconds=${2:-2} cases=${3:-plaintext pipelined json https idle idle-https}
server_core=0 load_core=1 port=7410 connections=64
servers=(sockets threadpool inline)
declare -A pids ports
temp=$(mktemp -d)
trap 'kill "${pids[@]}" 2>/dev/null || true; rm -rf "$temp"' EXIT
results=$temp/results

for tool in wrk taskset; do
    command -v "$tool" >/dev/null || { echo "$tool is needed." >&2; exit 1; }
done
program=samples/AspNetCoreHello/bin/Release/net10.0/AspNetCoreHello.dll
[ -n "${NO_BUILD:-}" ] || dotnet build -c Release -v quiet --disable-build-servers samples/AspNetCoreHello >&2

cat >"$temp/pipeline.lua" <<'LUA'
init = function(args)
    local requests = {}
    for i = 1, 16 do requests[i] = wrk.format("GET", "/plaintext") end
    request_text = table.concat(requests)
end
request = function() return request_text end
LUA

# start NAME SERVER [ARGUMENTS]
start() {
    ports[$1]=$((port++))
    local arguments=(--transport selectreactor --scheduling "$2")
    [ "$2" != sockets ] || arguments=(--transport sockets)
    taskset -c $server_core dotnet $program --port "${ports[$1]}" "${arguments[@]}" "${@:3}" >/dev/null &
    pids[$1]=$!
    for try in {1..100}; do
        (exec 3<>"/dev/tcp/127.0.0.1/${ports[$1]}") 2>/dev/null && return
        [ "$try" -lt 100 ] || { echo "$1 does not answer." >&2; return 1; }
        sleep 0.1
    done
}

cpu_ticks() { sed 's/.*) //' "/proc/${pids[$1]}/stat" | awk '{ print $12 + $13 }'; }

# measure NAME CASE SECONDS: one line "rate cpu-microseconds".
measure() {
    local before requests scheme=http path=/plaintext script=()
    case $2 in
        pipelined) script=(-s "$temp/pipeline.lua") ;;
        json) path=/json ;;
        https) scheme=https ;;
    esac
    before=$(cpu_ticks "$1")
    timeout 60 taskset -c $load_core wrk -t1 -c$connections -d"$3" "${script[@]}" \
        "$scheme://127.0.0.1:${ports[$1]}$path" >"$temp/wrk"
    requests=$(awk '/requests in/ { print $1 }' "$temp/wrk")
    if [[ ! $requests =~ ^[1-9][0-9]*$ ]] || grep -qE 'Non-2xx|Socket errors' "$temp/wrk"; then
        cat "$temp/wrk" >&2
        echo "$1 failed in $2." >&2
        return 1
    fi
    awk -v t=$(($(cpu_ticks "$1") - before)) -v n="$requests" -v s="$3" -v hz="$(getconf CLK_TCK)" \
        'BEGIN { print n / s, t / hz / n * 1e6 }'
}

# idle NAME COUNT: memory for each of so many connections that have made one request, over TLS if it is so named.
idle() {
    python3 - "${ports[$1]}" "${pids[$1]}" "$2" "$1" <<'PYTHON'
import socket, ssl, sys, time
port, pid, count, name = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
tls = ssl._create_unverified_context() if "https" in name else None
def memory():
    return next(int(line.split()[1]) for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS:"))
request = b"GET /plaintext HTTP/1.1\r\nHost: localhost\r\n\r\n"
def connect():
    client = socket.create_connection(("127.0.0.1", port))
    if tls:
        client = tls.wrap_socket(client)
    client.sendall(request)
    client.recv(4096)
    return client
connect().close()
time.sleep(1)
before = memory()
clients = [connect() for _ in range(count)]
time.sleep(3)
print(round((memory() - before) * 1024 / count))
PYTHON
}

report() {
    awk '
    function median(list, n,   i, j, t) {
        for (i = 2; i <= n; i++) for (j = i; j > 1 && list[j] < list[j - 1]; j--) { t = list[j]; list[j] = list[j - 1]; list[j - 1] = t }
        return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
    }
    { rate[$1, $2, $3] = $4; cpu[$1, $2, $3] = $5; if ($2 >= rounds) rounds = $2 + 1; if (!($1 in seen)) { seen[$1]; names[++cases] = $1 } }
    END {
        print "| case | transport | requests/s | x sockets | CPU us a request | x sockets |"
        print "|---|---|---:|---:|---:|---:|"
        split("sockets threadpool inline", server)
        for (c = 1; c <= cases; c++) for (s = 1; s <= 3; s++) {
            for (r = 0; r < rounds; r++) {
                rates[r + 1] = rate[names[c], r, server[s]]
                cpus[r + 1] = cpu[names[c], r, server[s]]
                ratios[r + 1] = rates[r + 1] / rate[names[c], r, "sockets"]
                costs[r + 1] = cpus[r + 1] / cpu[names[c], r, "sockets"]
            }
            middle = median(ratios, rounds)
            cost = median(costs, rounds)
            printf "| %s | %s | %.0f | %.2f (%.2f–%.2f) | %.2f | %.2f |\n", names[c], server[s], median(rates, rounds), \
                middle, ratios[1], ratios[rounds], median(cpus, rounds), cost
        }
    }' "$results"
}

ulimit -n 20000
has() { [[ " $cases " = *" $1 "* ]]; }

# measure_idle CASE SERVER COUNT [ARGUMENTS]
measure_idle() {
    if has "$1"; then
        start "$1-$2" "$2" "${@:4}"
        echo "$1: $2: $(idle "$1-$2" "$3") bytes a connection"
        kill "${pids[$1-$2]}"
    fi
}

for server in "${servers[@]}"; do
    measure_idle idle "$server" 5000
    measure_idle idle-https "$server" 2000 --https
done
loads=()
for case in $cases; do
    [[ $case = idle* ]] || loads+=("$case")
done
((${#loads[@]} > 0)) || exit 0
for server in "${servers[@]}"; do
    start "$server" "$server"
    if has https; then
        start "https-$server" "$server" --https
    fi
done

name_of() { [ "$2" = https ] && echo "https-$1" || echo "$1"; }

for server in "${servers[@]}"; do
    for case in "${loads[@]}"; do
        measure "$(name_of "$server" "$case")" "$case" "${WARM_UP:-3}" >/dev/null
    done
done

for ((round = 0; round < rounds; round++)); do
    order=("${servers[@]}")
    ((round % 2 == 0)) || order=(inline threadpool sockets)
    for case in "${loads[@]}"; do
        for server in "${order[@]}"; do
            figures=$(measure "$(name_of "$server" "$case")" "$case" "$seconds")
            echo "$case $round $server $figures" >>"$results"
        done
    done
    echo "round $((round + 1)) of $rounds" >&2
done
report
