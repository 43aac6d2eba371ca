# make help lists the targets that people use.

CARGO ?= cargo
LIBRARY = target/release/libkeepalive.so
SOURCES = Cargo.toml Cargo.lock build.rs cbindgen.toml $(wildcard src/*.rs)

.PHONY: help build demo test headers lint clean

help:                ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1: /p' $(MAKEFILE_LIST) | column -t -s :

build: $(LIBRARY)    ## the shared library, optimised: target/release/libkeepalive.so

# By itself, because LTO is off where an rlib is built beside it.
$(LIBRARY): $(SOURCES)
	@tests/setup.sh build
	$(CARGO) rustc --locked --release --lib --crate-type cdylib
	@touch $@

headers:             ## writes the generated headers to where they are committed
	KEEPALIVE_WRITE_HEADERS=1 $(CARGO) test --locked --test headers

clean:               ## removes what was built
	$(CARGO) clean
