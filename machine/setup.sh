#!/bin/sh
# Installs the Debian packages that a part of this project needs: machine/setup.sh demo test ...
#
# Does nothing if all are installed. If some are missing and this user may not install packages, it says what to type,
# and fails. On other systems it only says what is needed.
set -eu

packages() {
    case $1 in
        demo) echo gcc libc6-dev php-cli iproute2 openssl nftables tcpdump util-linux ;;
        deadpeer) echo php-cli gcc libc6-dev strace iproute2 nftables openssl tcpdump tshark util-linux ;;
        test) echo php-cli php-curl php-xml php-mbstring phpunit php-codesniffer composer gcc libc6-dev g++ clang binutils \
            strace netcat-openbsd openssl iproute2 nftables tcpdump util-linux bsdutils shellcheck \
            bats bats-assert bats-support pkg-config libkeepalive0 php-fpm libfcgi-bin libapache2-mod-php \
            libcap2-bin musl-tools ;;
        servers) echo mariadb-server-core mariadb-client-core postgresql redis-server redis-tools rabbitmq-server \
            memcached nginx libnginx-mod-stream haproxy php-mongodb php-mysql php-pgsql php-redis php-memcached \
            php-amqp php-curl php-predis php-amqplib php-symfony-config php-symfony-dependency-injection \
            php-symfony-yaml php-illuminate-events php-illuminate-queue \
            php-guzzlehttp-guzzle php-doctrine-dbal php-symfony-messenger \
            php-symfony-event-dispatcher php-amphp-amp python3 ;;
        preload) echo gcc libc6-dev curl default-jdk-headless libdontdie0 libjemalloc2 libkeepalive0 nodejs php-soap \
            python3 strace ;;
        pictures) echo tmux ;;
        workflow) echo python3-venv make shellcheck ;;
        deb) echo gcc libc6-dev debhelper dpkg-dev ;;
        matrix) echo gcc libc6-dev debootstrap util-linux iproute2 ;;
        zts) echo gcc libc6-dev make dpkg-dev autoconf bison re2c pkg-config libffi-dev libssl-dev \
            zlib1g-dev libcurl4-openssl-dev \
            libxml2-dev libonig-dev ;;
        musl) echo gcc libc6-dev musl-tools make dpkg-dev autoconf bison re2c pkg-config ;;
        cross-amd64) echo gcc-x86-64-linux-gnu qemu-user-static ;;
        cross-arm64) echo gcc-aarch64-linux-gnu qemu-user-static ;;
        cross-armhf) echo gcc-arm-linux-gnueabihf ;;
        cross-i386) echo gcc-i686-linux-gnu ;;
        cross-s390x) echo gcc-s390x-linux-gnu ;;
        machines) echo gcc libc6-dev qemu-system-x86 qemu-system-arm qemu-system-misc cpio e2fsprogs ;;
        bench) echo php-cli php-fpm libfcgi-bin gcc valgrind libkeepalive0 libdontdie0 ;;
        sanitizers) echo php-cli gcc clang llvm libclang-rt-14-dev valgrind libc6-dbg ;;
        packaging) echo bats bats-assert bats-support gcc g++ clang binutils pkg-config cmake mandoc lintian composer php-cli php-zip \
            debootstrap util-linux ;;
        *) echo "machine/setup.sh: unknown group '$1'" >&2; exit 2 ;;
    esac
}

wanted=$(for group; do packages "$group"; done)
wanted=$(echo "$wanted" | tr ' ' '\n' | sort -u)
if ! command -v dpkg-query >/dev/null; then
    echo "This is not Debian or Ubuntu, so nothing is installed. By Debian's names, this is needed:" \
        "$(echo "$wanted" | paste -sd ' ')" >&2
    exit
fi
missing=
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then as_root=
elif sudo -n true 2>/dev/null; then as_root=sudo
else
    echo "These Debian packages are missing, and this user may not install them. As root:" >&2
    echo "    apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
echo "Installing by apt-get:$missing"
# The tests start their own servers. Debian's packages would start theirs at once, on the usual ports; this file forbids
# that (invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '$as_root rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM # without this, a signal would end sh without the EXIT trap
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod +x "$policy"
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086 # words on purpose
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
