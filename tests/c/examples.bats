#!/usr/bin/env bats
# The examples in C: each compiles as its first lines say, and prints what it promises.

load ../shell

setup_file() {
    name_library
    local prefix=$BATS_FILE_TMPDIR/prefix
    make -s install CARGO=false DESTDIR= PREFIX="$prefix" >/dev/null
    export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
    cp examples/c/*.c "$BATS_FILE_TMPDIR"
    for example in keepalive-client put-back udp-refused; do
        (cd "$BATS_FILE_TMPDIR" && eval "$(sed -n 's/^ \*     \(cc .*\)/\1/p' "$example.c")")
        [ -x "$BATS_FILE_TMPDIR/$example" ] || fail "$example.c does not say how to compile it"
    done
}

setup() {
    client=$BATS_FILE_TMPDIR/keepalive-client
    listener=
}

teardown() { [ -z "$listener" ] || kill "$listener"; }

listen() { # on this address; sets listener and port
    local said=$BATS_TEST_TMPDIR/nc waited=0
    : >"$said"
    nc -nlkv "$1" 0 >"$said" 2>&1 3>&- &
    listener=$!
    until port=$(sed -n 's/^Listening on .* \([0-9]*\)$/\1/p' "$said") && [ -n "$port" ]; do
        waited=$((waited + 1))
        [ "$waited" -le 100 ] || fail "$(cat "$said")"
        sleep 0.05
    done
}

client_reports() { # about a connection to this address
    listen "$1"
    run "$client" "$1" "$port"
    assert_line --index 0 "keepalive on, idle 3 s, interval 2 s, count 5, user timeout 13000 ms"
    assert_line --index 1 --regexp '^established, 0 probes unanswered, heard from [0-9]{1,3} ms ago$'
    assert_equal "${#lines[@]}" 2
}

@test "each example compiles strictly as C99, too" {
    for example in keepalive-client put-back udp-refused; do
        compile_and_link gcc -std=c99 -o "$BATS_TEST_TMPDIR/$example" "examples/c/$example.c"
    done
}

@test "keepalive-client to 127.0.0.1" { client_reports 127.0.0.1; }
@test "keepalive-client to ::1" { client_reports ::1; }

@test "keepalive-client where nobody listens" {
    run -1 "$client" 127.0.0.1 1
    assert_output "127.0.0.1: Connection refused"
}

@test "put-back" {
    local default
    default=$(cat /proc/sys/net/ipv4/tcp_keepalive_time)
    run -0 "$BATS_FILE_TMPDIR/put-back"
    assert_output "idle before $default s, changed 30 s, after $default s"
}

@test "udp-refused" {
    run -0 "$BATS_FILE_TMPDIR/udp-refused"
    assert_output "ka_set(): ENOPROTOOPT: the socket is not TCP (UDP, raw or netlink, perhaps), or\
 has no such option: MPTCP has no user timeout, nor have some systems.
SO_KEEPALIVE is 0
setsockopt(): 0, and no probe will ever be sent
SO_KEEPALIVE is 1"
}
