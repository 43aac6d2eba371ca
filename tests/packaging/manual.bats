#!/usr/bin/env bats
# The manual pages: fresh, complete, without mistakes of form, and referring to pages that exist.

load ../shell

@test "the committed pages are fresh (if not: make man)" {
    docs/man/generate "$BATS_TEST_TMPDIR"
    cp docs/man/*.[17] "$BATS_TEST_TMPDIR"
    diff -rx '*.awk' -x generate docs/man "$BATS_TEST_TMPDIR"
}

@test "each function has a page, and libkeepalive(7) lists it" {
    local pages
    pages=$(basename -s .3 docs/man/*.3 | sort)
    assert_equal "$pages" "$(sed -n 's/^[a-z].*[ *]\(ka_[a-z_]*\)(.*);$/\1/p' include/keepalive.h | sort)"
    assert_equal "$(sed -n '/^\.Ss Functions/,/^\.El/s/^\.It Xr \(.*\) 3/\1/p' docs/man/libkeepalive.7 | sort)" "$pages"
}

@test "keepalive(1) has each command" {
    assert_equal "$(sed -n 's/^\.It Cm \([a-z]*\).*/\1/p' docs/man/keepalive.1 | sort -u)" \
        "$(php php/bin/keepalive help | sed -n 's/^  \([a-z]*\)  .*/\1/p' | sort)"
}

# Other projects' pages need not be on this machine; ours are looked for below. The pages name the
# library where a system would name itself, or the footer would say BSD.
@test "mandoc -Tlint finds nothing" {
    local said
    said=$(mandoc -Tlint docs/man/*.[137] 2>/dev/null || true)
    assert_equal "$(grep -vE 'STYLE: (referenced manual not found|operating system explicitly specified)' <<<"$said" || true)" ""
}

@test "a page that names KA_DEFAULT or KA_UNCHANGED says what it means" {
    for constant in KA_DEFAULT KA_UNCHANGED; do
        assert_equal "$(grep -l "^\.It Dv $constant$" docs/man/*.3)" "$(grep -l "Dv $constant" docs/man/*.3)"
    done
}

@test "each page of ours that the pages refer to exists" {
    local references
    references=$(sed -n 's/^\.\(It \)\{0,1\}Xr \(ka_[a-z_]*\|libkeepalive\) \([37]\).*/\2.\3/p' docs/man/*.[137] | sort -u)
    for page in $references; do
        ls "docs/man/$page"
    done
    [ "$(wc -w <<<"$references")" -ge 10 ]
}
