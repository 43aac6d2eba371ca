#!/usr/bin/env bats
# The package as Composer's users get it: what is in it, and a project that installs it, offline, from
# a release and from the sources. After make build, make deb and make dist.
#
# Needs root: one project also runs in a Debian 11, which has no libkeepalive. All else is in a temporary folder.

load ../shell

setup_file() {
    export COMPOSER_DISABLE_NETWORK=1 COMPOSER_ALLOW_SUPERUSER=1 COMPOSER_HOME=$BATS_FILE_TMPDIR/home
    unset KEEPALIVE_LIBRARY LD_LIBRARY_PATH
    # A checkout as a developer has it: with builds, a cache, and something new.
    local checkout=$BATS_FILE_TMPDIR/checkout name
    mkdir "$checkout" "$BATS_FILE_TMPDIR/unpacked"
    git ls-files -z | tar --null -T - -cf - | tar -C "$checkout" -xf -
    for name in target/release/libkeepalive.so target/dist/x .cache/debian/x vendor/autoload.php new/x .new notes.md; do
        mkdir -p "$checkout/$(dirname "$name")"
        echo new >"$checkout/$name"
    done
    composer_quietly archive --working-dir="$checkout" --dir="$BATS_FILE_TMPDIR" --file=sources --format=tar
    tar -xf "$(release)" -C "$BATS_FILE_TMPDIR/unpacked" --strip-components=1
}

setup() {
    version=$(version)
    release=$(realpath "$(release)")
    platform=linux-$(uname -m)
    package=vendor/libkeepalive/keepalive
    works="ffi $package/php/lib/$platform/libkeepalive.so 1 61/11/7"
}

release() { echo "target/dist/libkeepalive-$(version).tar.gz"; }
files() { tar -tf "$1" | sed "s|^libkeepalive-$(version)/||; /\/\$/d; /^\$/d" | sort; }
sum() { sha256sum "$1" | cut -d' ' -f1; }
composer_quietly() { composer --quiet --no-interaction "$@"; }

# What is in it

everything_needed() { # for PHP, to build the library, to install it, to read, to run the demo
    printf '%s\n' CHANGELOG.md CONTRIBUTING.md LICENSE-APACHE LICENSE-MIT README.md SECURITY.md composer.json
    git ls-files php | grep -v '^php/tests/'
    printf '%s\n' Cargo.lock Cargo.toml Makefile build.rs cbindgen.toml packaging.mk
    git ls-files benches/abi.rs core headers preload 'src/*.rs' 'include/*.h' 'docs/man/*.[37]'
    git ls-files ':(glob)docs/*.md' docs/benchmarks.svg 'docs/pictures/*.svg' examples lab machine/setup.sh
}

@test "the files of composer archive" {
    assert_equal "$(files "$BATS_FILE_TMPDIR/sources.tar")" "$(everything_needed | sort)"
}

@test "the files that git archive, and so a repository's host, packs" {
    assert_equal "$(git archive --worktree-attributes HEAD | files -)" "$(everything_needed | sort)"
}

@test "the files of the release, in one folder, with these modes" {
    local objects
    objects=$(printf '%s\n' php/lib/linux-{,musl-}{x86_64,aarch64}/libkeepalive{,-preload}.so php/lib/SHA256SUMS)
    assert_equal "$(files "$release")" "$( (everything_needed; echo "$objects") | sort)"
    assert_equal "$(tar -tf "$release" | cut -d/ -f1 | sort -u)" "libkeepalive-$(version)"
    assert_equal "$(tar -tvf "$release" | cut -d' ' -f1 | sort -u | paste -sd ' ')" "-rw-r--r-- -rwxr-xr-x drwxr-xr-x"
}

@test "the release's checksum" {
    cd target/dist
    sha256sum --strict -c SHA256SUMS
}

@test "the release's library is the one that runs on Debian 11" {
    assert_equal "$(sum "$BATS_FILE_TMPDIR/unpacked/php/lib/$platform/libkeepalive.so")" "$(sum target/debian11/release/libkeepalive.so)"
}

@test "every link of the release's documents leads somewhere" {
    tests/docs/links.php "$BATS_FILE_TMPDIR/unpacked"
}

@test "the release's README says nothing of tests, which it has not" {
    run -1 grep -n '^make test' "$BATS_FILE_TMPDIR/unpacked/README.md"
}

@test "composer.json is valid" { composer_quietly validate --strict; }

@test "make dist by another user's habits gives the same archive" {
    local before
    before=$(sum "$release")
    (umask 077; TZ=Pacific/Auckland LC_ALL=C make -s dist)
    assert_equal "$(sum "$release")" "$before"
}

# A project that installs the release, as docs/install.md says

project() { # name, composer.json
    mkdir -p "$BATS_FILE_TMPDIR/$1"
    cp "$BATS_TEST_DIRNAME/use-by-composer.php" "$BATS_FILE_TMPDIR/$1/use.php"
    cd "$BATS_FILE_TMPDIR/$1" || return
    echo "$2" >composer.json
    composer_quietly install --no-dev
}

@test "release: composer install, its version, and it runs with its own library" {
    mkdir -p "$BATS_FILE_TMPDIR/release/packages"
    cp "$release" "$BATS_FILE_TMPDIR/release/packages"
    # shellcheck disable=SC2016 # Markdown's
    project release "$(sed -n '/^```json$/,/^```$/{/^```/!p}' docs/install.md)"
    assert_equal "$(composer show --no-interaction libkeepalive/keepalive 2>/dev/null | sed -n 's/^versions *: \* //p')" "$version"
    assert_equal "$(php use.php 2>&1)" "$works"
    vendor/bin/keepalive doctor # finds nothing missing
    cd "$package"/php/lib
    sha256sum --strict -c SHA256SUMS
}

@test "release: the project works elsewhere too" {
    cp -r "$BATS_FILE_TMPDIR/release" "$BATS_TEST_TMPDIR/moved"
    cd "$BATS_TEST_TMPDIR/moved"
    assert_equal "$(php use.php 2>&1)" "$works"
}

@test "release: it runs in Debian 11, which has no libkeepalive" {
    local debian
    debian=$(machine/debian-root.sh bullseye php-cli)
    assert_equal "$(find "$debian" -xdev -name 'libkeepalive.so.1*')" ""
    in_debian() { # a command, in the project
        # shellcheck disable=SC2016 # for the inner shell
        unshare --mount --pid --fork sh -eu -c '
            mount --bind "$1" "$2/mnt"
            mount -t proc proc "$2/proc"
            root=$2
            shift 2
            exec chroot "$root" env -C /mnt "$@" 2>&1' - "$BATS_FILE_TMPDIR/release" "$debian" "$@"
    }
    assert_equal "$(in_debian php use.php)" "$works"
    in_debian vendor/bin/keepalive doctor
}

# A project that installs the sources, and is told how to get the library

@test "sources: until there is a library plain streams work, and doctor says how to get it" {
    mkdir "$BATS_FILE_TMPDIR/sources"
    tar -xf "$BATS_FILE_TMPDIR/sources.tar" -C "$BATS_FILE_TMPDIR/sources"
    project from-sources '{"repositories": [{"type": "path", "url": "../sources", "options": {"symlink": false}},
        {"packagist": false}], "require": {"libkeepalive/keepalive": "@dev"}}'
    assert_equal "$(php use.php 2>&1)" "sockets nowhere 1 61/11/7"
    run vendor/bin/keepalive doctor
    output=$(tr -s '\n ' '  ' <<<"$output") assert_output --partial "Install it (make install in the package's folder, or \
the Debian package libkeepalive1), or set KEEPALIVE_LIBRARY to its path."
}

# In a folder that is kept, so that the next run need not compile the dependencies. Without what is
# built from this project, since what is unpacked looks older than that of the last run.
@test "sources: make build, make demo and make install in the package" {
    local kept=$PWD/target/from-package built
    mkdir -p "$kept"
    rm -rf "$kept"/release/libkeepalive*.so "$kept"/release/.fingerprint/keepalive-*
    cd "$BATS_FILE_TMPDIR/from-sources"
    ln -s "$kept" "$package"/target
    make -s -C "$package" build
    make -s -C "$package" demo
    built=$(realpath "$package"/target/release/libkeepalive.so)
    assert_equal "$(php use.php 2>&1)" "ffi $built 1 61/11/7"
    vendor/bin/keepalive doctor # finds nothing missing
    make -s -C "$package" install CARGO=false PREFIX="$BATS_TEST_TMPDIR"
    rm "$package"/target
    assert_equal "$(LD_LIBRARY_PATH=$BATS_TEST_TMPDIR/lib php use.php 2>&1)" "ffi libkeepalive.so.1 1 61/11/7"
}
