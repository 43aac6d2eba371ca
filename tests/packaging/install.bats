#!/usr/bin/env bats
# make install and make uninstall, as docs/install.md describes them: which files, where, and which files of others they do not touch.

load ../shell

# It uses neither cargo nor a network.
make_install() { make -s install CARGO=false "$@"; }

packagers_folders() {
    echo "DESTDIR=$BATS_FILE_TMPDIR" PREFIX=/usr LIBDIR=/usr/lib/here INCLUDEDIR=/usr/include/there MANDIR=/usr/man
}

# shellcheck disable=SC2046 # words
setup_file() { make_install $(packagers_folders); }

setup() { installed=$BATS_FILE_TMPDIR/usr/lib/here/libkeepalive.so; }

files() { (cd "$1" && find . ! -type d | sed 's/^\.//' | sort); }

expected_files() {
    printf '%s\n' /usr/include/there/keepalive.h /usr/lib/here/libkeepalive.{a,so,so.1,"so.$(version)"} \
        /usr/lib/here/libkeepalive/libkeepalive-preload.so /usr/lib/here/pkgconfig/keepalive.pc
    for page in docs/man/*.[37]; do
        echo "/usr/man/man${page##*.}/${page##*/}"
    done
}

@test "the files" { assert_equal "$(files "$BATS_FILE_TMPDIR")" "$(expected_files | sort)"; }

@test "their modes" { assert_equal "$(find "$BATS_FILE_TMPDIR" -type f -printf '%m\n' | sort -u)" 644; }

@test "the soname, the link for the loader, the link for the linker" {
    assert_equal "$(readelf -d "$installed" | sed -n 's/.*soname: \[\(.*\)\]/\1/p')" libkeepalive.so.1
    assert_equal "$(readlink "$installed.1")" "libkeepalive.so.$(version)"
    assert_equal "$(readlink "$installed")" libkeepalive.so.1
}

functions() { nm --defined-only "$@" 2>/dev/null | grep -o ' T ka_.*' | sort; }

@test "the archive's functions are the shared library's" {
    assert_equal "$(functions -g "${installed%.so}.a")" "$(functions -D "$installed")"
}

@test "keepalive.pc: the version, and PREFIX, not DESTDIR" {
    assert_equal "$(PKG_CONFIG_PATH=$BATS_FILE_TMPDIR/usr/lib/here/pkgconfig pkg-config --modversion keepalive)" "$(version)"
    run -1 grep "$BATS_FILE_TMPDIR" "$BATS_FILE_TMPDIR/usr/lib/here/pkgconfig/keepalive.pc"
}

@test "make install says how the loader finds an unusual folder" {
    run -0 make_install DESTDIR= PREFIX="$BATS_TEST_TMPDIR"
    assert_output --partial "-Wl,-rpath,$BATS_TEST_TMPDIR/lib"
}

# The tests above are done with what it removes.
@test "make uninstall leaves no file, and no folder of its own" {
    # shellcheck disable=SC2046 # words
    make -s uninstall $(packagers_folders)
    assert_equal "$(find "$BATS_FILE_TMPDIR/usr" ! -type d)" ""
    assert_equal "$(find "$BATS_FILE_TMPDIR/usr" -name libkeepalive)" ""
}

# Debian's libkeepalive0 is another project's, and owns /usr/lib/libkeepalive.so.
@test "another libkeepalive.so: make install refuses and installs nothing, make uninstall leaves it" {
    mkdir -p "$BATS_TEST_TMPDIR/usr/lib"
    echo "another project's" >"$BATS_TEST_TMPDIR/usr/lib/libkeepalive.so"
    run ! make_install DESTDIR="$BATS_TEST_TMPDIR" PREFIX=/usr
    assert_output --partial "is not this library's"
    assert_equal "$(files "$BATS_TEST_TMPDIR")" /usr/lib/libkeepalive.so
    make -s uninstall DESTDIR="$BATS_TEST_TMPDIR" PREFIX=/usr
    assert_equal "$(cat "$BATS_TEST_TMPDIR/usr/lib/libkeepalive.so")" "another project's"
}
