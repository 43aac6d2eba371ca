# Installing, and what packagers need. Neither install nor uninstall needs cargo, or a network, once
# `make build` is done.

VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
MAJOR := $(firstword $(subst ., ,$(VERSION)))

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig

REAL_NAME = libkeepalive.so.$(VERSION)
SONAME = libkeepalive.so.$(MAJOR)
MAN3 = $(wildcard docs/man/*.3)
MAN7 = $(wildcard docs/man/*.7)

# The compiler itself adds its C and unwinding libraries to static programs. libgcc_s has no static form, so naming it
# would break `cc -static`.
NEEDED_BY_ARCHIVE = $(filter-out -lgcc_s -lc,$(shell cat $(ARCHIVE_NEEDS)))

# strip has to be for the same processor as the compiler that links.
STRIP = $(if $(LINKER),$(LINKER:gcc=strip),strip)

# libkeepalive.so, the name that linkers use, may belong to another project: Debian's libkeepalive0 has it in /usr/lib.
OURS = readlink '$(DESTDIR)$(LIBDIR)/libkeepalive.so' | grep -q '^libkeepalive\.so\.$(MAJOR)'

# The loader finds new libraries after ldconfig has listed them, and only root can run that.
LOADER_LOOKS = if [ -z '$(DESTDIR)' ] && [ "$$(id -u)" -eq 0 ]; then PATH="$$PATH:/sbin" ldconfig; fi
LOADER_LISTS = PATH="$$PATH:/sbin" ldconfig -p

.PHONY: install uninstall man abi release-library deb dist test-packaging test-debian test-kernels test-machines test-capi

# Linkers do not search this folder: programs are not linked with the preload object.
PRELOAD_FOLDER = $(DESTDIR)$(LIBDIR)/libkeepalive

##@ Installing and packaging

install: $(LIBRARY) $(ARCHIVE) $(ARCHIVE_NEEDS) $(PRELOAD)  ## PREFIX (/usr/local), LIBDIR, INCLUDEDIR, MANDIR, PKGCONFIGDIR, DESTDIR
	@if [ -e '$(DESTDIR)$(LIBDIR)/libkeepalive.so' ] && ! $(OURS); then \
		echo "$(DESTDIR)$(LIBDIR)/libkeepalive.so is not this library's (Debian's libkeepalive0 has one)." \
			"It stays; nothing is installed. Choose another LIBDIR, such as /usr/local/lib." >&2; \
		exit 1; \
	fi
	install -d '$(DESTDIR)$(LIBDIR)' '$(DESTDIR)$(PKGCONFIGDIR)' '$(DESTDIR)$(INCLUDEDIR)' \
		'$(DESTDIR)$(MANDIR)/man3' '$(DESTDIR)$(MANDIR)/man7'
	install -m 644 $(LIBRARY) '$(DESTDIR)$(LIBDIR)/$(REAL_NAME)'
	ln -sf $(REAL_NAME) '$(DESTDIR)$(LIBDIR)/$(SONAME)'
	ln -sf $(SONAME) '$(DESTDIR)$(LIBDIR)/libkeepalive.so'
	install -D -m 644 $(PRELOAD) '$(PRELOAD_FOLDER)/libkeepalive-preload.so'
	install -m 644 $(ARCHIVE) '$(DESTDIR)$(LIBDIR)/libkeepalive.a'
	$(STRIP) --strip-debug '$(DESTDIR)$(LIBDIR)/libkeepalive.a'
	install -m 644 include/keepalive.h '$(DESTDIR)$(INCLUDEDIR)/keepalive.h'
	@printf '%s\n' 'prefix=$(PREFIX)' \
		'libdir=$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))' \
		'includedir=$(patsubst $(PREFIX)/%,$${prefix}/%,$(INCLUDEDIR))' '' \
		'Name: keepalive' \
		'Description: Notices dead TCP connections in seconds, not hours' \
		'Version: $(VERSION)' \
		'Libs: -L$${libdir} -lkeepalive' \
		'Libs.private: $(NEEDED_BY_ARCHIVE)' \
		'Cflags: -I$${includedir}' \
		>'$(DESTDIR)$(PKGCONFIGDIR)/keepalive.pc'
	chmod 644 '$(DESTDIR)$(PKGCONFIGDIR)/keepalive.pc'
	$(if $(MAN3),install -m 644 $(MAN3) '$(DESTDIR)$(MANDIR)/man3')
	$(if $(MAN7),install -m 644 $(MAN7) '$(DESTDIR)$(MANDIR)/man7')
	@$(LOADER_LOOKS)
	@[ -n '$(DESTDIR)' ] || $(LOADER_LISTS) | grep -q '$(LIBDIR:/usr/%=/%)/$(SONAME)$$' || \
		echo "The dynamic loader does not look in $(LIBDIR) by itself: link programs with" \
			"-Wl,-rpath,$(LIBDIR), or run them with LD_LIBRARY_PATH=$(LIBDIR)."

uninstall:           ## removes what install put there, with the same variables
	@if $(OURS); then rm -f '$(DESTDIR)$(LIBDIR)/libkeepalive.so'; fi
	rm -f '$(DESTDIR)$(LIBDIR)/$(SONAME)' '$(DESTDIR)$(LIBDIR)/$(REAL_NAME)' \
		'$(DESTDIR)$(LIBDIR)/libkeepalive.a' '$(DESTDIR)$(INCLUDEDIR)/keepalive.h' \
		'$(DESTDIR)$(PKGCONFIGDIR)/keepalive.pc' \
		'$(PRELOAD_FOLDER)/libkeepalive-preload.so' \
		$(MAN3:docs/man/%='$(DESTDIR)$(MANDIR)/man3/%') $(MAN7:docs/man/%='$(DESTDIR)$(MANDIR)/man7/%')
	@if [ -d '$(PRELOAD_FOLDER)' ]; then rmdir --ignore-fail-on-non-empty '$(PRELOAD_FOLDER)'; fi
	@$(LOADER_LOOKS)

# The manual pages of the functions, from include/keepalive.h; make headers does this too.
man:
	rm -f docs/man/*.3
	docs/man/generate docs/man

# The platforms: rustc's name, Debian's name, the name of the C library's folders, and Debian's compiler.
IS_linux-x86_64       = x86_64-unknown-linux-gnu        amd64 x86_64-linux-gnu    x86_64-linux-gnu-gcc
IS_linux-aarch64      = aarch64-unknown-linux-gnu       arm64 aarch64-linux-gnu   aarch64-linux-gnu-gcc
IS_linux-musl-x86_64  = x86_64-unknown-linux-musl       amd64 x86_64-linux-gnu    x86_64-linux-gnu-gcc
IS_linux-musl-aarch64 = aarch64-unknown-linux-musl      arm64 aarch64-linux-gnu   aarch64-linux-gnu-gcc
IS_linux-armv7l       = armv7-unknown-linux-gnueabihf   armhf arm-linux-gnueabihf arm-linux-gnueabihf-gcc
IS_linux-i686         = i686-unknown-linux-gnu          i386  i386-linux-gnu      i686-linux-gnu-gcc
IS_linux-s390x        = s390x-unknown-linux-gnu         s390x s390x-linux-gnu     s390x-linux-gnu-gcc
rustc_of = $(word 1,$(IS_$(1)))
debian_of = $(word 2,$(IS_$(1)))
multiarch_of = $(word 3,$(IS_$(1)))
compiler_of = $(word 4,$(IS_$(1)))
HERE = linux-$(shell uname -m)
# The platforms of a release; the others are built for tests.
PLATFORMS = linux-x86_64 linux-aarch64 linux-musl-x86_64 linux-musl-aarch64

# A release runs on Debian 11 and newer, on whatever system it was built.
RELEASE = target/debian11
sysroot_of = .cache/sysroot-$(call debian_of,$(1))
# The folder of a platform's shared objects, after `make release-library-PLATFORM` has made them.
release_of = $(RELEASE)/$(if $(filter $(HERE),$(1)),,$(call rustc_of,$(1))/)release

# The compiler prefers its own folders to the sysroot's, so -L is needed.
LINK_AGAINST_SYSROOT = $(foreach flag,--sysroot='$(SYSROOT)' -L'$(SYSROOT)/usr/lib/$(MULTIARCH)' \
	-L'$(SYSROOT)/lib/$(MULTIARCH)',-C link-arg=$(flag))
MULTIARCH ?= $(call multiarch_of,$(HERE))

.PRECIOUS: .cache/sysroot-%
.cache/sysroot-%:
	machine/sysroot.sh $@ $*

# Records what is new in the header in tests/abi; docs/abi.md has the rules.
abi:
	tests/abi/record.sh

# How a platform's libraries are built: with its compiler, and against Debian 11's C library.
FOR_HERE = BUILD=$(RELEASE) SYSROOT='$(CURDIR)/$(call sysroot_of,$(HERE))'
FOR = BUILD=$(RELEASE) TARGET=$(call rustc_of,$(1)) LINKER=$(call compiler_of,$(1)) \
	$(if $(findstring musl,$(1)),RUSTFLAGS='$(call FOR_MUSL,$(CURDIR)/$(call sysroot_of,$(1)),$(subst gnu,musl,$(call multiarch_of,$(1))))', \
	SYSROOT='$(CURDIR)/$(call sysroot_of,$(1))' MULTIARCH=$(call multiarch_of,$(1)))
# Against musl's shared libc, and without the start files of this machine's C library.
FOR_MUSL = -C target-feature=-crt-static -C link-self-contained=no -C link-arg=-nostartfiles \
	-L native=$(1)/lib/$(2) -L native=$(1)/usr/lib/$(2)

release-library: $(call sysroot_of,$(HERE))  ## the libraries that run on Debian 11 and newer, in target/debian11
	@$(MAKE) build $(FOR_HERE)

release-library-$(HERE): release-library ;

# Another processor needs its own compiler.
CROSS = $(filter-out cross-$(call debian_of,$(HERE)),cross-$(call debian_of,$(1)))

# Lets the prerequisites of the rules below depend on the platform ($$).
.SECONDEXPANSION:
release-library-%: $$(call sysroot_of,%)
	@machine/setup.sh $(call CROSS,$*)
	@machine/rust-target.sh $(call rustc_of,$*)
	@$(MAKE) build $(call FOR,$*)

ARCH ?= $(call debian_of,$(HERE))
DEB_FOR = $(firstword $(foreach platform,$(filter-out linux-musl-%,$(PLATFORMS)),\
	$(if $(filter $(ARCH),$(call debian_of,$(platform))),$(platform))))
DEBS = target/deb$(if $(filter $(HERE),$(DEB_FOR)),,-$(ARCH))

deb: release-library-$$(DEB_FOR)  ## Debian packages for Debian 11 and newer, in target/deb; ARCH=arm64: in target/deb-arm64
	@machine/setup.sh deb
	rm -rf $(DEBS)
	mkdir -p $(DEBS)
	DEB_RULES_REQUIRES_ROOT=no DEBS='$(CURDIR)/$(DEBS)' $(if $(filter $(HERE),$(DEB_FOR)),$(FOR_HERE),$(call FOR,$(DEB_FOR))) \
		dpkg-architecture -a$(ARCH) -f -c debian/rules clean $(if $(filter $(HERE),$(DEB_FOR)),binary,binary-arch)
	debian/rules clean

# Composer's users get the files of the commit that .gitattributes does not exclude, the compiled library of each
# platform, and the version. The same commit and libraries give the same archive, byte for byte.
SHIPPED = $(notdir $(LIBRARY) $(PRELOAD))
DISTRIBUTION = libkeepalive-$(VERSION)
ALWAYS_THE_SAME = --format=ustar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
	--mtime="@$$(git log -1 --format=%ct)"

dist: $(addprefix release-library-,$(PLATFORMS))  ## the release archive for Composer, in target/dist; each library has run before
	@machine/setup.sh packaging
	@git diff --quiet HEAD || echo "make dist: there are changes that are not committed. They are not in the archive." >&2
	@$(foreach platform,$(PLATFORMS),PLATFORM=$(platform) OBJECTS=$(call release_of,$(platform)) \
		SYSROOT=$(call sysroot_of,$(platform)) COMPILER=$(call compiler_of,$(platform)) \
		tests/bats.sh tests/packaging/platform.bats &&) true
	rm -rf target/dist
	mkdir -p target/dist
	git archive --prefix=$(DISTRIBUTION)/ HEAD | tar -xf - -C target/dist
	sed -i 's/^    "name": .*/&\n    "version": "$(VERSION)",/' target/dist/$(DISTRIBUTION)/composer.json
	cd target/dist/$(DISTRIBUTION) && sed -i '/^<!-- only in a clone -->$$/,/^<!-- everywhere -->$$/d' *.md docs/*.md
	$(foreach platform,$(PLATFORMS),$(foreach object,$(SHIPPED),install -D $(call release_of,$(platform))/$(object) \
		target/dist/$(DISTRIBUTION)/php/lib/$(platform)/$(object) &&)) true
	cd target/dist/$(DISTRIBUTION)/php/lib && sha256sum */*.so >SHA256SUMS
	tar -C target/dist $(ALWAYS_THE_SAME) -cf - $(DISTRIBUTION) | gzip -9n >target/dist/$(DISTRIBUTION).tar.gz
	rm -rf target/dist/$(DISTRIBUTION)
	cd target/dist && sha256sum $(DISTRIBUTION).tar.gz >SHA256SUMS

##@ Tests of packages and machines; only test-packaging is part of make test

test-packaging: build deb dist  ## installs into temporary folders and builds programs against that
	@machine/setup.sh packaging
	LIBRARY=$(RELEASE)/release/libkeepalive.so tests/bats.sh tests/c/library.bats
	tests/bats.sh $(addprefix tests/packaging/,$(addsuffix .bats,build install manual programs release composer))
	tests/packaging/debian.sh bullseye

test-debian: deb     ## the Debian packages in a Debian 11, 12 and 13 that debootstrap makes; needs root
	@machine/setup.sh packaging
	tests/packaging/debian.sh bullseye bookworm trixie

# Slow, because they emulate: not part of make test.
test-kernels: release-library  ## the C tests on the kernels of Debian 11, 12, 13 and sid, in qemu; three minutes
	@machine/setup.sh machines
	tests/machines/run.sh bullseye-amd64 bookworm-amd64 trixie-amd64 sid-amd64

test-machines: $(addprefix release-library-,linux-aarch64 linux-musl-aarch64 linux-armv7l linux-i686 linux-s390x)  ## other processors, in qemu: the C tests; on arm64 PHP and the packages too; and 32-bit PHP; half an hour
	@machine/setup.sh machines matrix
	@$(MAKE) deb
	@$(MAKE) deb ARCH=arm64
	tests/machines/run.sh trixie-arm64 bookworm-armhf bookworm-i386 bookworm-s390x
	tests/machines/arm64.sh
	tests/matrix/matrix.sh bookworm-i386

# Compares cargo cinstall's files with make install's; not part of make test, because it needs cargo-c.
test-capi: build
	tests/bats.sh tests/packaging/capi.bats
