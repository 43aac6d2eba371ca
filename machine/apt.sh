# To be sourced: apt for another Debian, from this machine's mirror; it changes nothing on this machine. Needs no root;
# apt checks the signatures. $work is an empty folder, which is removed at the end.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# apt_for deb|deb-src SUITE ARCHITECTURE
apt_for() {
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    : >"$work/status"
    echo "$1 [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $("$(dirname "$0")/mirror.sh") $2 main" \
        >"$work/sources.list"
    # The lists expire after some days; a mirror, or a copy of one, may be older.
    cat >"$work/apt.conf" <<END
APT::Architecture "$3";
APT::Architectures "$3";
APT::Sandbox::User "";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::status "$work/status";
Dir::State::lists "$work/lists";
Dir::Cache "$work/cache";
END
    export APT_CONFIG="$work/apt.conf"
    apt-get -qq update
}
