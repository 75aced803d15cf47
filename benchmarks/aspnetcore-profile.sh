#!/usr/bin/env bash
# Where the processor's time goes in /plaintext: the sample web application under wrk, on Kestrel's own transport and on
# this one, sampled by perf. Server on one core, load on another. Prints a Markdown table: microseconds of the server's
# processor a request for each part, by the innermost frame that tells the part; and system calls a request.
#
#     benchmarks/aspnetcore-profile.sh [SECONDS] [SERVERS]   # 4 seconds each; needs root, perf, wrk, taskset, python3
#
# SERVERS is a list of: sockets threadpool inline.
set -euo pipefail
shopt -s inherit_errexit
export LC_ALL=C
cd "$(dirname "$0")/.."
seconds=${1:-4} servers=${2:-sockets threadpool inline}
server_core=0 load_core=1 port=7440 connections=64
calls=(sendmsg sendto recvmsg recvfrom epoll_wait epoll_pwait futex write sched_yield)
temp=$(mktemp -d)
pid=
trap 'kill $pid 2>/dev/null || true; rm -rf "$temp"' EXIT

for tool in perf wrk taskset python3; do
    command -v "$tool" >/dev/null || { echo "$tool is needed." >&2; exit 1; }
done
program=samples/AspNetCoreHello/bin/Release/net10.0/AspNetCoreHello.dll
[ -n "${NO_BUILD:-}" ] || dotnet build -c Release -v quiet --disable-build-servers samples/AspNetCoreHello >&2

load() {
    timeout 60 taskset -c $load_core wrk -t1 -c$connections -d"$1" "http://127.0.0.1:$port/plaintext" >"$temp/wrk"
}

cpu_ticks() { sed 's/.*) //' "/proc/$pid/stat" | awk '{ print $12 + $13 }'; }

# profile SERVER
profile() {
    local arguments=(--transport selectreactor --scheduling "$1") before ticks requests
    [ "$1" != sockets ] || arguments=(--transport sockets)
    port=$((port + 1))
    # The map has the names of all methods if none is compiled before and memory is not mapped twice.
    DOTNET_PerfMapEnabled=1 DOTNET_ReadyToRun=0 DOTNET_EnableWriteXorExecute=0 \
        taskset -c $server_core dotnet $program --port $port "${arguments[@]}" >/dev/null &
    pid=$!
    for try in {1..100}; do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
        [ "$try" -lt 100 ] || { echo "$1 does not answer." >&2; return 1; }
        sleep 0.1
    done
    load "${WARM_UP:-8}"
    before=$(cpu_ticks)
    perf record -q -e cpu-clock -F 1999 --call-graph fp -o "$temp/$1.data" -p "$pid" 2>/dev/null &
    local recorder=$!
    load "$seconds"
    ticks=$(($(cpu_ticks) - before))
    kill -INT $recorder
    wait $recorder || true
    requests=$(awk '/requests in/ { print $1 }' "$temp/wrk")
    echo "$1 $(awk -v t=$ticks -v n="$requests" -v hz="$(getconf CLK_TCK)" 'BEGIN { print t / hz / n * 1e6 }')" \
        >>"$temp/costs"
    perf stat -x, -o "$temp/stat" -e "$(printf 'syscalls:sys_enter_%s,' "${calls[@]}")raw_syscalls:sys_enter" -p "$pid" &
    recorder=$!
    load 2
    kill -INT $recorder
    wait $recorder || true
    awk -F, -v server="$1" -v n="$(awk '/requests in/ { print $1 }' "$temp/wrk")" \
        '$1 ~ /^[0-9]+$/ { sub(/^syscalls:sys_enter_/, "", $3); print server, $3, $1 / n }' "$temp/stat" >>"$temp/calls"
    perf script -i "$temp/$1.data" -F comm,ip,sym 2>/dev/null >"$temp/$1.stacks"
    rm -f "/tmp/perf-$pid.map" "/tmp/perfinfo-$pid.map"
    kill $pid
    wait $pid 2>/dev/null || true
}

for server in $servers; do
    profile "$server"
done
[ -z "${STACKS:-}" ] || cp "$temp"/*.stacks "$STACKS"

python3 - "$temp" $servers <<'PYTHON'
import collections, re, sys
folder, servers = sys.argv[1], sys.argv[2:]
costs = dict((name, float(cost)) for name, cost in map(str.split, open(f"{folder}/costs")))
kernel = [
    ("system: send", r"sendmsg|sendto"),
    ("system: receive", r"recvmsg|recvfrom"),
    ("system: wait for events (epoll)", r"epoll"),
    ("system: wake threads and loops (futex, eventfd)", r"futex|eventfd|ksys_write|ksys_read|sched_yield"),
    ("system: switch threads", r"schedule|exit_to_user_mode"),
]
user = [
    ("pipes", r"System\.IO\.Pipelines"),
    ("hand-over between threads", r"ThreadPool|Semaphore|PoolScheduler|LoopScheduler|Mailbox|ConcurrentQueue|"
        r"WorkStealing|LowLevelMonitor|IOQueue"),
    ("transport", r"SelectReactor|System\.Net\.Sockets|Transport\.Sockets|SystemNative_|Interop"),
    ("Kestrel and application", r"Microsoft\.AspNetCore|Microsoft\.Extensions|AspNetCoreHello"),
]
order = [name for name, _ in kernel] + ["system: other"] + [name for name, _ in user] + ["runtime and other"]
def part(frames):
    if any("entry_SYSCALL" in frame or "do_syscall_64" in frame for frame in frames):
        return next((name for name, words in kernel if any(re.search(words, frame) for frame in frames)),
            "system: other")
    for frame in frames:
        for name, words in user:
            if re.search(words, frame):
                return name
    return "runtime and other"
shares = {}
for server in servers:
    counts = collections.Counter()
    for sample in open(f"{folder}/{server}.stacks").read().split("\n\n"):
        frames = sample.strip().split("\n")[1:]
        if frames:
            counts[part(frames)] += 1
    total = sum(counts.values())
    shares[server] = {name: counts[name] / total for name in order}
print("| part | " + " | ".join(servers) + " |")
print("|---|" + "---:|" * len(servers))
for name in order:
    print(f"| {name} | " + " | ".join(
        f"{shares[server][name] * costs[server]:.2f} us ({shares[server][name]:.0%})" for server in servers) + " |")
print("| all | " + " | ".join(f"{costs[server]:.2f} us" for server in servers) + " |")
calls = {(server, call): float(count) for server, call, count in map(str.split, open(f"{folder}/calls"))}
kinds = [("send", ("sendmsg", "sendto")), ("receive", ("recvmsg", "recvfrom")), ("wait", ("epoll_wait", "epoll_pwait")),
    ("futex", ("futex",)), ("write (eventfd)", ("write",)), ("sched_yield", ("sched_yield",)), ("all", ("raw_syscalls:sys_enter",))]
for name, parts in kinds:
    print(f"| system calls a request: {name} | " + " | ".join(
        f"{sum(calls.get((server, part), 0) for part in parts):.2f}" for server in servers) + " |")
PYTHON
