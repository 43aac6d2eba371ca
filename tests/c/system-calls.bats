#!/usr/bin/env bats
# The system calls that the library makes, as strace sees them: which, in what order, how many.

load ../shell

searches="newest next_newest again reopened four_forward four_backward four_again all_in_any_order in_a_gap missing"

setup_file() {
    name_library
    compile_and_link gcc -std=c11 -o "$BATS_FILE_TMPDIR/traced" tests/c/traced.c
    trace calls calls
    trace find-10 find 10
    trace find-10000 find 10000
}

setup() {
    traced=calls
    tcp=$(said tcp)
    read -r default_idle </proc/sys/net/ipv4/tcp_keepalive_time
    read -r default_intvl </proc/sys/net/ipv4/tcp_keepalive_intvl
    read -r default_cnt </proc/sys/net/ipv4/tcp_keepalive_probes
}

trace() { # a name for this run, mode and its arguments, then further options for strace after --
    local name=$BATS_FILE_TMPDIR/$1 mode=()
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do mode+=("$1"); shift; done
    [ $# -eq 0 ] || shift
    strace -o "$name.trace" "$@" "$BATS_FILE_TMPDIR/traced" "${mode[@]}" >"$name.said"
}

between() { # the calls between the marks of this name
    awk -v begin="write(-1, \"begin $1\"," '
        index($0, begin) == 1 { inside = 1; found = 1; next }
        index($0, "write(-1, \"end\",") == 1 { inside = 0 }
        inside
        END { if (!found) print "no mark of this name" }' "$BATS_FILE_TMPDIR/$traced.trace"
}

said() { sed -n "s/^$1 //p" "$BATS_FILE_TMPDIR/$traced.said"; }

count() { between "$1" | wc -l; }

calls() { # name, what is returned, the calls (standard input)
    echo "$1"
    assert_equal "$(between "$1" | sed 's/)  *= /) = /')" "$(cat)"
    assert_equal "$(said "$1")" "$2"
}

no_calls() { calls "$1" "$2" </dev/null; }

intvl() { echo "setsockopt($tcp, SOL_TCP, TCP_KEEPINTVL, [$1], 4) = 0"; }
cnt() { echo "setsockopt($tcp, SOL_TCP, TCP_KEEPCNT, [$1], 4) = 0"; }
idle() { echo "setsockopt($tcp, SOL_TCP, TCP_KEEPIDLE, [$1], 4) = 0"; }
user_timeout() { echo "setsockopt($tcp, SOL_TCP, TCP_USER_TIMEOUT, [$1], 4) = 0"; }
enabled() { echo "setsockopt($tcp, SOL_SOCKET, SO_KEEPALIVE, [$1], 4) = 0"; }
is_tcp() { echo "getsockopt($tcp, SOL_TCP, TCP_NODELAY, [0], [4]) = 0"; }
all_read() { # socket, idle, intvl, cnt, user timeout, enabled
    echo "getsockopt($1, SOL_TCP, TCP_KEEPIDLE, [$2], [4]) = 0"
    echo "getsockopt($1, SOL_TCP, TCP_KEEPINTVL, [$3], [4]) = 0"
    echo "getsockopt($1, SOL_TCP, TCP_KEEPCNT, [$4], [4]) = 0"
    echo "getsockopt($1, SOL_TCP, TCP_USER_TIMEOUT, [$5], [4]) = 0"
    echo "getsockopt($1, SOL_SOCKET, SO_KEEPALIVE, [$6], [4]) = 0"
}
defaults() {
    local fresh=$((tcp + 3)) # the socket that has the defaults
    echo "socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = $fresh"
    all_read $fresh "$default_idle" "$default_intvl" "$default_cnt" 0 0
    echo "close($fresh) = 0"
}
refused_intvl() { echo "setsockopt($1, SOL_TCP, TCP_KEEPINTVL, [10], 4) = -1 $2"; }
refused_timeout() { echo "setsockopt($1, SOL_TCP, TCP_USER_TIMEOUT, [5000], 4) = -1 $2"; }
not_tcp="ENOPROTOOPT (Protocol not available)"
unix="EOPNOTSUPP (Operation not supported)"
bad="EBADF (Bad file descriptor)"

@test "ka_set: a call for each value, keepalive itself at last, and nothing else" {
    calls set 0 < <(intvl 10; cnt 6; idle 60; enabled 1)
    calls set_again 0 < <(intvl 10; cnt 6; idle 60; enabled 1)
    calls set_largest 0 < <(intvl 32767; cnt 127; idle 32767; enabled 1)
}

@test "ka_set: no call for a value that stays" {
    calls set_without_idle 0 < <(intvl 10; cnt 6; enabled 1)
    calls set_without_intvl 0 < <(cnt 6; idle 60; enabled 1)
    calls set_without_cnt 0 < <(intvl 10; idle 60; enabled 1)
    calls set_idle 0 < <(idle 60; enabled 1)
    calls set_intvl 0 < <(intvl 10; enabled 1)
    calls set_cnt 0 < <(cnt 6; enabled 1)
    calls set_nothing 0 < <(is_tcp; enabled 1)
}

@test "a value refused by its range costs no system call" {
    no_calls refused_idle -22
    no_calls refused_intvl -22
    no_calls refused_cnt -22
    no_calls refused_with_default -22
    no_calls refused_timeout -22
    no_calls refused_enabled -22
    no_calls refused_by_apply -22
    no_calls no_settings -14
}

@test "ka_set: a socket that is not TCP costs one call, which the kernel refuses, and stays as it was" {
    calls set_udp -92 < <(refused_intvl "$(said udp)" "$not_tcp")
    calls set_unix -95 < <(refused_intvl "$(said unix)" "$unix")
    assert_equal "$(said keepalive_of_udp)" 0
    assert_equal "$(said keepalive_of_unix)" 0
    calls set_minus_one -9 < <(refused_intvl -1 "$bad")
}

@test "defaults are read from a fresh socket" {
    calls defaults 0 < <(defaults)
    calls set_default 0 < <(defaults; intvl 10; cnt 6; idle "$default_idle"; enabled 1)
}

@test "ka_get reads five options" {
    calls get 0 < <(all_read "$tcp" "$default_idle" 10 6 0 1)
}

@test "ka_disable asks whether it is TCP, and switches off" {
    calls disable 0 < <(is_tcp; enabled 0)
}

@test "ka_apply: at most five calls, in this order, and nothing else" {
    calls apply 0 < <(user_timeout 5000; intvl 10; cnt 6; idle 60; enabled 1)
    calls apply_off 0 < <(user_timeout 0; enabled 0)
    calls apply_enabled 0 < <(is_tcp; enabled 1)
    calls apply_user_timeout 0 < <(user_timeout 6000)
    calls apply_nothing 0 < <(is_tcp)
    calls apply_default 0 < <(defaults; intvl 10; cnt "$default_cnt"; idle 60)
}

@test "ka_apply: if a value is out of range, the socket is asked: it may have the value from a sysctl" {
    calls apply_impossible -22 < <(all_read "$tcp" 60 10 "$default_cnt" 6000 1)
}

@test "ka_apply: a socket that is not TCP costs one call, which the kernel refuses, and stays as it was" {
    calls apply_udp -92 < <(refused_timeout "$(said udp)" "$not_tcp")
    calls apply_unix -95 < <(refused_timeout "$(said unix)" "$unix")
    calls apply_udp_partly -92 < <(refused_intvl "$(said udp)" "$not_tcp")
    calls apply_minus_one -9 < <(refused_timeout -1 "$bad")
    assert_equal "$(said keepalive_of_udp_then)" 0
    assert_equal "$(said keepalive_of_unix_then)" 0
}

@test "ka_status: one system call, TCP_INFO" {
    assert_equal "$(between status | cut -d, -f 1-3)" "getsockopt($tcp, SOL_TCP, TCP_INFO"
}

@test "ka_options, ka_strerror, ka_version, ka_detect_within and a missing pointer cost no system call" {
    no_calls no_system_calls -4
}

@test "ka_find finds the socket, with 10 and with 10,000 open descriptors" {
    note "system calls of ka_find() with       10 and with 10,000 open:"
    for search in $searches; do
        for traced in find-10 find-10000; do
            echo "$search, $traced"
            assert_equal "$(said "$search")" 0
        done
        note "$(printf '    %-30s %6d %6d' "$search" "$(traced=find-10 count "$search")" "$(traced=find-10000 count "$search")")"
    done
}

costs_with() { # so many open descriptors
    traced=find-$1
    [ "$(count newest)" -le 16 ]
    [ "$(count next_newest)" -le 2 ]
    assert_equal "$(count again)" 1 # an fstat
    [ "$(count reopened)" -le 2 ]
    assert_equal "$(count four_forward)" 4
    [ "$(count four_backward)" -le 32 ]
    assert_equal "$(count four_again)" 4
    [ "$(count all_in_any_order)" -le $(($1 + $1 / 1000)) ] # an fstat each, and a thousandth more
    [ "$(count in_a_gap)" -le $(($1 / 2 + 20)) ]            # those above it
}

@test "ka_find: what it costs with 10 open descriptors" { costs_with 10; }

@test "ka_find: it costs the same with 10,000" { costs_with 10000; }

@test "ka_find: a socket that is not there costs about a call for each descriptor" {
    traced=find-10000
    [ "$(count missing)" -le 10200 ] # an fstat each, and a getdents64 for every 85
}

@test "ka_find: an enormous RLIMIT_NOFILE, which strace pretends, is never looped over" {
    local billion=00ca9a3b00000000
    trace walk walk -- -e inject=prlimit64:poke_exit=@arg4=$billion$billion
    traced=walk
    assert_equal "$(said limit)" 1000000000
    assert_equal "$(said missing_with_proc)" 0
    [ "$(count missing_with_proc)" -le 32 ]
    assert_equal "$(said missing_without_proc)" 0
    [ "$(count missing_without_proc)" -le 65600 ]
}
