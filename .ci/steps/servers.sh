# Starts a server that says "Listening on ADDRESS:PORT" and sets server_pid, server_port and server_start (microseconds).
start_server() {
    local output="$temp/server"
    server_port='' server_start=${EPOCHREALTIME/[.,]/}
    "$@" > "$output" 2>&1 < /dev/null &
    server_pid=$!
    for _ in {1..3000}; do
        server_port=$(sed -n 's/.*[Ll]istening on:\? [^ ]*:\([0-9]*\).*/\1/p' "$output" | head -n 1)
        [[ -z $server_port ]] || return 0
        kill -0 "$server_pid" 2> /dev/null || break
        sleep 0.01
    done
    cat "$output"
    fail "$1 does not listen."
}

# Tells the server to end: it has to do so by itself, without an error.
stop_server() {
    local status=0
    kill -TERM "$server_pid"
    timeout 30 tail -s 0.05 --pid="$server_pid" -f /dev/null || kill -KILL "$server_pid"
    wait "$server_pid" || status=$?
    server_pid=''
    ((status == 0)) || fail "The server ended with status $status."
}

# The server's answer to one line.
ask_line() {
    local answer connection
    exec {connection}<> "/dev/tcp/127.0.0.1/$server_port"
    printf '%s\n' "$1" >&"$connection"
    IFS= read -r -t 10 answer <&"$connection" || true
    exec {connection}>&-
    printf '%s' "$answer"
}
