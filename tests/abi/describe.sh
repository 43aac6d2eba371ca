#!/usr/bin/env bash
# Prints the ABI that a header promises, a line for each thing that a compiled program relies on:
# tests/abi/describe.sh include/keepalive.h
#
# Sizes and offsets are the C compiler's, not ours.
set -eu
header=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk -v header="$header" '
    BEGIN { print "#include \"" header "\"\n#include <stdio.h>\nint main(void) {" }
    /^ *(\/\*|\*)/ { next }
    /^#define KA_[A-Z]/ && !/^#define KA_VERSION_/ {
        print "printf(\"constant " $2 " %ld\\n\", (long)" $2 ");"
    }
    /^typedef struct/ {
        struct = $3
        print "printf(\"struct " struct " size %zu\\n\", sizeof(struct " struct "));"
        next
    }
    /^}/ { struct = "" }
    struct && /;$/ {
        member = $NF
        sub(/(\[[0-9]+\])?;$/, "", member)
        type = $1
        print "printf(\"struct " struct " " member " " type " offset %zu size %zu\\n\", " \
            "offsetof(struct " struct ", " member "), sizeof(((struct " struct " *)0)->" member "));"
    }
    /^[a-z].*\);$/ { # parameters without their names, which promise nothing
        prototype = $0
        gsub(/[a-z_]+,/, ",", prototype)
        if (prototype !~ /\(void\)/) sub(/[a-z_]+\);$/, ");", prototype)
        gsub(/ +,/, ",", prototype)
        gsub(/ +\)/, ")", prototype)
        print "puts(\"function " prototype "\");"
    }
    END { print "return 0; }" }
' "$header" >"$work/describe.c"
cc -o "$work/describe" "$work/describe.c"
"$work/describe" | LC_ALL=C sort
