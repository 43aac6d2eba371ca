#!/usr/bin/env bats
# The part of tests/packaging/debian.sh that runs inside that Debian, in its folder /test; it
# includes what docs/install.md says about Debian packages. Each test continues where the one before has ended.

load ../shell

setup_file() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    # The options of a new socket in a program without this library.
    cat >fresh.c <<'END'
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
int main(void) {
    int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP), on = -1, idle = -1;
    socklen_t size = sizeof on;
    getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &size);
    getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &size);
    printf("%d %d\n", on, idle);
    return 0;
}
END
    cc -D_DEFAULT_SOURCE fresh.c -o fresh
    ./fresh >untouched
}

setup() {
    both="$(version) $(version)" # the header's version, and the library's
    in_php="$(version) ffi 61/11/7"
}

apt_install() { apt-get -qq -y --no-install-recommends install "$@"; }
intact() { assert_equal "$(dpkg --verify "$@")" ""; } # lists files that are not as their package had them
needed() { readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
consumer() { cc -D_DEFAULT_SOURCE tests/packaging/consumer.c "$@" -o program; }
php_program() { php tests/packaging/use.php 2>&1; }

with_interposer() { # libkeepalive0's
    LD_PRELOAD=/usr/lib/libkeepalive.so KEEPIDLE=55 KEEPINTVL=5 KEEPCNT=5 "$@" 2>&1
}
with_dontdie() {
    LD_PRELOAD=$(echo /usr/lib/*/libdontdie.so) DD_TCP_KEEPALIVE_TIME=44 DD_TCP_KEEPALIVE_INTVL=4 DD_TCP_KEEPALIVE_PROBES=4 "$@" 2>&1
}

# Every program of this test, built and run: C through pkg-config, and static; PHP by the soname.
use() {
    rm -f program
    # shellcheck disable=SC2046 # flags are words
    consumer -static $(pkg-config --static --cflags --libs keepalive)
    assert_equal "$(./program 2>&1)" "$both"
    rm -f program
    # shellcheck disable=SC2046
    consumer $(pkg-config --cflags --libs keepalive)
    needed program | grep -xF libkeepalive.so.1
    assert_equal "$(./program 2>&1)" "$both"
    # Bare, and through the package.
    assert_equal "$(php_program)" "$in_php"
}

@test "apt installs the library; the loader lists it, and finds all that it needs" {
    apt_install ./target/deb/libkeepalive1_*.deb ./target/deb/libkeepalive-dev_*.deb
    ldconfig -p | grep '/libkeepalive\.so\.1$'
    run -0 ldd "$(ldconfig -p | sed -n 's/.*libkeepalive\.so\.1 .*=> //p')"
    refute_output --partial 'not found'
}

@test "alone: programs in C, static ones, PHP" { use; }

@test "apt installs libkeepalive0 and libdontdie0 beside it, and no package's file changes" {
    apt_install libkeepalive0 libdontdie0
    intact libkeepalive1 libkeepalive-dev libkeepalive0 libdontdie0
}

@test "-lkeepalive without pkg-config is ours" {
    consumer -lkeepalive
    assert_equal "$(./program 2>&1)" "$both"
}

@test "beside libkeepalive0 and libdontdie0: programs in C, static ones, PHP" { use; }

@test "preloaded libkeepalive0 and libdontdie still do their work, and nothing happens without preloading" {
    assert_equal "$(with_interposer ./fresh)" "1 55"
    assert_equal "$(with_dontdie ./fresh)" "1 44"
    assert_equal "$(./fresh)" "$(cat untouched)"
}

@test "ours wins over both when they are preloaded, in C and in PHP" {
    assert_equal "$(with_interposer ./program)" "$both"
    assert_equal "$(with_dontdie ./program)" "$both"
    assert_equal "$(with_interposer php_program)" "$in_php"
    assert_equal "$(with_dontdie php_program)" "$in_php"
}

@test "libkeepalive-preload: preloaded it does its work, without its variable nothing; the loader's path does not lead to it" {
    apt_install ./target/deb/libkeepalive-preload_*.deb
    intact libkeepalive-preload
    local preload
    preload=$(echo /usr/lib/*/libkeepalive/libkeepalive-preload.so)
    assert_equal "$(LD_PRELOAD=$preload LIBKEEPALIVE=33,3,3 ./fresh 2>&1)" "1 33"
    assert_equal "$(LD_PRELOAD=$preload ./fresh 2>&1)" "$(cat untouched)"
    run -1 grep preload <(ldconfig -p)
}

@test "apt installs php-keepalive: PHP finds it, and keepalive doctor finds nothing missing" {
    apt_install ./target/deb/php-keepalive_*.deb
    intact php-keepalive
    cat >installed.php <<'END'
<?php
require 'Keepalive/autoload.php';
$stream = stream_socket_server('tcp://127.0.0.1:0');
Keepalive\Keepalive::enable($stream, 61, 11, 7);
echo Keepalive\Keepalive::backend(), ' ', Keepalive\Internal\Library::find(), ' ',
    Keepalive\Keepalive::settings($stream)->idle(), "\n";
END
    assert_equal "$(php installed.php 2>&1)" "ffi libkeepalive.so.1 61"
    keepalive doctor
}

readme_of() { # a package: its commands run, and the files that it names exist
    local readme=/usr/share/doc/$1/README.Debian
    sed -n 's/^    //p' "$readme" | sh -eu
    grep -o '/usr/share/[a-zA-Z/.-]*[a-z]' "$readme" | xargs ls -d
}

@test "libkeepalive-dev's README.Debian: its commands run, the files that it names exist" { readme_of libkeepalive-dev; }
@test "libkeepalive-preload's README.Debian: its commands run, and a socket is set; the files that it names exist" {
    run -0 readme_of libkeepalive-preload
    assert_output --regexp 'perl\[[0-9]+\]: socket [0-9]+: set, idle 3 s, interval 2 s, count 5, user timeout 13000 ms'
}
@test "libkeepalive-preload's example: its variables reach a program" {
    # shellcheck disable=SC2046 # a variable for each line
    assert_equal "$(env $(sed -n 's/^Environment=//p' /usr/share/doc/libkeepalive-preload/examples/service.conf) ./fresh)" "1 3"
}
@test "php-keepalive's README.Debian: its commands run, the files that it names exist" { readme_of php-keepalive; }

@test "php-keepalive's examples have no syntax error, and load the package" {
    local examples
    examples=$(find /usr/share/doc/php-keepalive/examples -name '*.php')
    [ -n "$examples" ]
    for example in $examples; do
        php -l "$example"
        grep "^require 'Keepalive/autoload.php'" "$example"
    done
}

@test "apt removes the others: ours are intact" {
    apt-get -qq -y purge libkeepalive0 libdontdie0
    intact libkeepalive1 libkeepalive-dev
    use
}

@test "apt removes ours: the others are intact and work, nothing of ours is left" {
    apt_install libkeepalive0 libdontdie0
    apt-get -qq -y purge libkeepalive1 libkeepalive-dev php-keepalive
    intact libkeepalive0 libdontdie0
    assert_equal "$(with_interposer ./fresh)" "1 55"
    assert_equal "$(find / -xdev -path /test -prune -o \( -name 'libkeepalive.so.1*' -o -name libkeepalive.a -o \
        -name keepalive.h -o -name keepalive.pc -o -name 'ka_*.3*' -o \
        -path '/usr/*/Keepalive' -o -path /usr/bin/keepalive \) -print)" ""
}

@test "what make install puts into /usr/local, beside libkeepalive0: programs in C, static ones, PHP" {
    cp -a local/. /
    ldconfig
    use
}

@test "there, as docs/install.md says, -lkeepalive alone is the other project's" {
    run ! consumer -lkeepalive
    assert_output --partial "undefined reference to"
}
