# Makes a program of each template, as a stranger would, with the packed packages: it builds without warnings, passes its
# tests, and works. All files stay below $temp, also the list of installed templates.
use_templates() {
    local folder="$temp/templates" answers
    mkdir -p "$folder"
    cat > "$folder/nuget.config" << EOF
<configuration>
  <config><add key="globalPackagesFolder" value="$cache" /></config>
  <packageSources><add key="packed" value="$packages" /></packageSources>
</configuration>
EOF
    cat > "$folder/Directory.Build.props" << EOF
<Project>
  <PropertyGroup>
    <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
    <NuGetAudit>false</NuGetAudit>
  </PropertyGroup>
</Project>
EOF
    template install "$packages/SelectReactor.Templates.$version.nupkg"

    # A name that C# would not allow, and names that the templates use themselves.
    instantiate hosted my-host.2
    instantiate server Server --framing length-prefix
    start_server "$folder/my-host.2/my-host.2/bin/Release/net10.0/my-host.2" \
        --SelectReactor:Servers:main:EndPoint=127.0.0.1:0
    [[ $(ask_line hello) == hello ]] || fail 'The server of selectreactor-hosted gave another answer.'
    stop_server

    start_server "$folder/Server/Server/bin/Release/net10.0/Server" 0
    instantiate client Client --framing length-prefix --port "$server_port"
    answers=$(timeout 30 "$folder/Client/Client/bin/Release/net10.0/Client" hello world)
    [[ $answers == $'hello\nworld' ]] || fail "The client got other answers: $answers"
    stop_server
    echo 'Each template gives a program that builds, passes its tests and works.'
}

template() {
    dotnet new "$@" --debug:custom-hive "$temp/hive"
}

# Makes project $2 of template $1, with the further arguments as options, and runs its tests.
instantiate() {
    template "selectreactor-$1" --name "$2" --output "$folder/$2" "${@:3}"
    run_tests "$folder/$2"
}

# Starts a server that says "Listening on ADDRESS:PORT" and sets server_pid and server_port.
start_server() {
    local output="$temp/server"
    server_port=''
    "$@" > "$output" 2>&1 < /dev/null &
    server_pid=$!
    for _ in {1..300}; do
        server_port=$(sed -n 's/.*Listening on [^ ]*:\([0-9]*\).*/\1/p' "$output" | head -n 1)
        [[ -z $server_port ]] || return 0
        kill -0 "$server_pid" 2> /dev/null || break
        sleep 0.1
    done
    cat "$output"
    fail "$1 does not listen."
}

# Tells the server to end: it has to do so by itself, without an error.
stop_server() {
    local status=0
    kill -TERM "$server_pid"
    timeout 30 tail --pid="$server_pid" -f /dev/null || kill -KILL "$server_pid"
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
