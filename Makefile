# make help lists the targets that people use.

CARGO ?= cargo
BUILD ?= target
# rustc's name of another platform to build for; packaging.mk sets the other variables for it.
TARGET ?= $(CARGO_BUILD_TARGET)
MADE = $(BUILD)/$(if $(TARGET),$(TARGET)/)release
LIBRARY = $(MADE)/libkeepalive.so
PRELOAD = $(MADE)/libkeepalive-preload.so
ARCHIVE = $(MADE)/libkeepalive.a
# The libraries that a program needs too if it links the archive, as rustc says.
ARCHIVE_NEEDS = $(MADE)/native-static-libs
# A build needs these on any system; this message comes before cargo's or rustc's.
NEEDS_CARGO = command -v '$(firstword $(CARGO))' >/dev/null || { echo "$(firstword $(CARGO)) is missing." \
	"Install Rust 1.85 or newer by rustup, or on Debian 13 and newer by apt-get install cargo. If it is there," \
	"add it to the PATH." >&2; exit 1; }
NEEDS_CC = command -v cc >/dev/null || { echo "cc is missing, the C compiler with which Rust links." \
	"Install gcc or clang; on Debian: apt-get install gcc libc6-dev" >&2; exit 1; }
CORE = Cargo.toml Cargo.lock $(wildcard core/Cargo.toml core/src/*.rs)
SOURCES = $(CORE) build.rs $(wildcard src/*.rs)

.PHONY: help build deps demo test test-rust test-c test-php test-docs docs-pictures test-servers test-preload test-deadpeer test-matrix matrix-roots test-zts test-musl lint-php lint-shell lint-workflow analyse headers test-sanitizers bench clean

##@ To begin with

help:                ## this list
	@awk -F ':.*## ' '/^##@ / { print "\n" substr($$0, 5) } /^[a-z-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: $(LIBRARY) $(ARCHIVE) $(ARCHIVE_NEEDS) $(PRELOAD)  ## the libraries, optimised, in target/release

# One command makes all three. It does not build the rlib of Cargo.toml, because with an rlib Cargo switches LTO off.
# `cargo build --release` leaves a library without LTO in the same place. It also leaves an rlib: that is how make
# notices. Cargo would not build that library again, so it is removed first.
# SYSROOT=folder links against that folder's C library; the default is this machine's.
$(LIBRARY) $(ARCHIVE) $(ARCHIVE_NEEDS) &: $(SOURCES) $(wildcard $(MADE)/libkeepalive.rlib)
	@$(NEEDS_CARGO)
	@$(NEEDS_CC)
	@rm -f '$(MADE)/deps/libkeepalive.so' '$(MADE)/libkeepalive.rlib'
	$(BUILD_CRATE) --package keepalive --lib --crate-type cdylib,staticlib -- \
		--print native-static-libs='$(ARCHIVE_NEEDS)' $(LINKED)
	@touch -c $(LIBRARY) $(ARCHIVE) $(ARCHIVE_NEEDS)

BUILD_CRATE = $(CARGO) rustc --locked --release --target-dir '$(BUILD)' $(if $(TARGET),--target $(TARGET))
LINKED = $(if $(LINKER),-C linker='$(LINKER)') $(if $(SYSROOT),$(LINK_AGAINST_SYSROOT))

# Cargo does not allow a hyphen in a library's name, so the file is copied.
$(PRELOAD): $(CORE) $(wildcard preload/Cargo.toml preload/build.rs preload/src/*.rs)
	@$(NEEDS_CARGO)
	@$(NEEDS_CC)
	$(BUILD_CRATE) --package keepalive-preload -- $(LINKED)
	cp '$(MADE)/libkeepalive_preload.so' $@

# The groups of machine/setup.sh for make demo and make test.
DEPS = demo test deadpeer sanitizers servers preload deb packaging matrix $(sort $(foreach platform,$(PLATFORMS),$(call CROSS,$(platform))))

deps:                ## installs what make demo and make test need, and does nothing else (Debian, Ubuntu)
	@machine/setup.sh $(DEPS)

demo:                ## the main job on this machine, as the kernel reports it, and a host that is lost
	@$(NEEDS_CARGO)
	@machine/setup.sh demo
	@$(MAKE) -s build
	@php php/examples/demo/demo.php

# Three groups run side by side: tests that mostly wait and compare times; tests that compute; and tests with other PHP
# versions, which are downloaded first.
test:                ## everything; first installs what it needs
	@$(NEEDS_CARGO)
	@machine/setup.sh $(DEPS)
	@$(MAKE) build release-library
	+@MAKE='$(MAKE)' FUZZ_SECONDS=10 tests/side-by-side.sh \
		"test-php test-servers test-preload test-deadpeer test-docs" \
		"test-rust test-c test-sanitizers test-packaging" \
		"matrix-roots test-matrix"

clean:               ## removes what was built
	$(CARGO) clean

##@ The parts of make test

# No test runs on these systems, but the compiler checks the code for them. The preload object is for Linux only.
OTHER_SYSTEMS = aarch64-apple-darwin x86_64-unknown-freebsd x86_64-unknown-netbsd x86_64-unknown-illumos

test-rust:           ## formatting, lints, also for other systems, and the tests in Rust
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	@machine/rust-target.sh $(OTHER_SYSTEMS)
	for system in $(OTHER_SYSTEMS); do \
		$(CARGO) clippy --locked --target $$system -p keepalive -p keepalive-core -- -D warnings || exit 1; done
	$(CARGO) test --locked --workspace

test-c: build lint-shell  ## the header and the library from C and C++, and the library as a file
	@machine/setup.sh test
	tests/bats.sh tests/c tests/abi

test-php: build lint-php  ## the PHP tests
	@machine/setup.sh test
	phpunit

test-docs: build     ## every code block, link and message of the documentation
	@machine/setup.sh test
	tests/docs/links.php
	tests/docs/messages.php
	tests/docs/run.php

test-servers: build  ## PHP's clients of databases and other servers, with real ones
	@machine/setup.sh test servers
	phpunit --testsuite servers

test-preload: build  ## unchanged programs, with the object in LD_PRELOAD
	@machine/setup.sh test servers preload
	phpunit --testsuite preload

# If this is root, a few cases are run again as a user without privileges.
test-deadpeer: build ## when programs are told of a dead peer, between two hosts
	@machine/setup.sh deadpeer
	tests/deadpeer/search.php 1000
	tests/deadpeer/run.php
	docs/pictures/draw.php --check target/deadpeer
	tests/deadpeer/run-without-root.sh idle-1-1-3 data-user-timeout unreachable-data rebooted tls-fread c \
		within-6-lossy-far nat-outlived

test-matrix: release-library  ## the PHP tests with PHP 7.4, 8.2, 8.4, 8.5 and 8.6, each also with the JIT; needs root
	@machine/setup.sh matrix
	tests/matrix/matrix.sh

matrix-roots:
	@machine/setup.sh matrix
	@tests/matrix/matrix.sh --roots

FUZZ_SECONDS ?= 20

test-sanitizers: build  ## AddressSanitizer, valgrind, a fuzzer and Miri
	@machine/setup.sh sanitizers
	FUZZ_SECONDS=$(FUZZ_SECONDS) tests/bats.sh tests/sanitizers/sanitizers.bats
	@if $(CARGO) +nightly miri --version >/dev/null 2>&1; then tests/bats.sh tests/sanitizers/miri.bats; else \
		echo "NOT RUN: Miri (rustup toolchain install nightly --component miri)"; fi

lint-php:            ## syntax and style (PSR-12) of the PHP code
	@machine/setup.sh test
	@! grep -rn '@testWith' php/tests || { echo "PHPUnit 12 and newer ignore @testWith: write a data provider." >&2; exit 1; }
	find php tests docs benches -type f \( -name '*.php' -o -path php/bin/keepalive \) -print0 | \
		xargs -0 -n 1 -P "$$(nproc)" php -d display_errors=stderr -l >/dev/null
	phpcs -n
	phpcs -n -q --stdin-path='$(CURDIR)/php/bin/keepalive.php' - <php/bin/keepalive

# The scripts are found by their first lines (#!). tests/shell.bash has none: the .bats files load it.
lint-shell:          ## shellcheck of the shell programs and tests
	@machine/setup.sh test
	shellcheck -x tests/shell.bash $$(git grep -lE '^#!.*(/sh|bash|bats)$$')

##@ Not part of make test

test-zts: build      ## the PHP tests with a thread safe PHP, built from Debian's sources; slow
	@machine/setup.sh test zts
	tests/matrix/zts.sh

test-musl: build release-library-linux-musl-$(shell uname -m)  ## PHP tests with a PHP on musl, built from Debian's sources; slow
	@machine/setup.sh test musl
	tests/matrix/musl.sh

lint-workflow:       ## .github/workflows, by actionlint from PyPI; after a change there
	@machine/setup.sh workflow
	tests/lint/workflow.sh

analyse:             ## the types of the PHP code, by mago, which cargo first compiles, for half an hour
	@$(NEEDS_CARGO)
	@machine/setup.sh servers
	tests/lint/analyse.sh

##@ What is generated, and committed

headers:             ## writes the generated headers, manual pages and docs/php-api.md to where they are committed
	$(CARGO) run --locked --quiet --package keepalive-headers -- .
	$(MAKE) man
	php docs/php-api.php >docs/php-api.md

docs-pictures: build ## draws docs/pictures from captures, a trace and a terminal
	@machine/setup.sh demo test pictures
	docs/pictures/draw.php
	docs/pictures/draw-watch.php

bench: build         ## measures side by side and writes docs/benchmarks.md
	@machine/setup.sh bench
	benches/run

include packaging.mk
