# Makes and runs a server for as long as the process that started this keeps its end of a pipe open.
# $1 the folder of programs, $2 the folder for everything, removed at the end; the pipe is standard
# input. The server ends by SIGQUIT, PostgreSQL's immediate shutdown.
exec 3<&0 </dev/null
umask 077
stopping= child=
trap 'stopping=1; [ -z "$child" ] || kill -QUIT "$child"' HUP INT TERM

# Nobody writes to the pipe: reading ends when the other side closes it or dies.
( while read -r _; do :; done; kill -TERM $$ ) <&3 &
watch=$!

# Runs a program and waits until it is gone; a signal only interrupts a wait.
run() {
    [ -z "$stopping" ] || return 1
    "$@" 3<&- &
    child=$!
    [ -z "$stopping" ] || kill -QUIT "$child"
    wait "$child"
    status=$?
    while kill -0 "$child"; do
        wait "$child"
        status=$?
    done
    child=
    return "$status"
}

if run "$1/initdb" --pgdata "$2/data" --username postgres --pwfile "$2/password" \
    --encoding UTF8 --no-locale --no-sync --auth-local trust --auth-host scram-sha-256 >"$2/log" 2>&1
then
    rm "$2/password"
    cat "$2/settings" >>"$2/data/postgresql.auto.conf"
    run "$1/postgres" -D "$2/data" >"$2/log" 2>&1
fi
echo >"$2/ended"

while kill -0 "$watch"; do
    wait "$watch"
done
rm -rf "$2"
