#!/usr/bin/env bats
# The library as C programs use it: behaviour.c, and the manual's examples.

load ../shell

setup_file() { name_library; }

@test "behaviour.c: every function" {
    compile_and_link gcc -std=c11 -pthread -o "$BATS_TEST_TMPDIR/behaviour" tests/c/behaviour.c
    run "$BATS_TEST_TMPDIR/behaviour"
    assert_equal "$(grep -v '^ok: ' <<<"$output" || true)" ""
    assert_line --partial "forked process" # the last of them
    assert_success
    note "behaviour.c: ${#lines[@]} ok"
}

# A program that runs the manual's examples one after the other on the same socket.
examples_of_manual() {
    printf '%s\n' '#include <keepalive.h>' '#include <stdio.h>' '#include <sys/socket.h>' \
        'int main(void) {' 'int fd = socket(AF_INET, SOCK_STREAM, 0);' 'ka_settings left;'
    awk '
        /^\.Bd -literal -offset indent/ { inside = 1; print "{"; next }
        /^\.Ed/ && inside { print "if (error != 0) return 1;\n}"; inside = 0; next }
        inside && /^\\&\.\.\.$/ { # what the program does meanwhile
            print "ka_get(fd, &left);\nprintf(\"meanwhile %d \", left.idle);"
            next
        }
        inside { gsub(/\\e/, "\\"); print }' docs/man/libkeepalive.7 docs/man/ka_apply.3
    printf '%s\n' 'ka_get(fd, &left);' \
        'printf("then %d %d\n", left.idle, left.user_timeout_ms);' 'return 0;' '}'
}

@test "the manual's examples: within 30 s, one value changed, all put back" {
    examples_of_manual >"$BATS_TEST_TMPDIR/manual.c"
    compile_and_link gcc -std=c99 -o "$BATS_TEST_TMPDIR/manual" "$BATS_TEST_TMPDIR/manual.c"
    run "$BATS_TEST_TMPDIR/manual"
    assert_output "meanwhile 30 then 3 13000"
    assert_success
}
