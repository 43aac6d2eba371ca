//! Where the cases are from: what of each project was read, and in which version.

pub const GVISOR: &str = "gVisor";
pub const GO: &str = "Go";
pub const LIBUV: &str = "libuv";
pub const NET_KEEPALIVE: &str = "net-keepalive (npm)";
pub const SOCKET2: &str = "socket2";
pub const NIX: &str = "nix";
pub const CRIU: &str = "CRIU";
pub const PACKETDRILL: &str = "packetdrill";
pub const NETDEV: &str = "Linux, netdev list";

pub struct Source {
    pub project: &'static str,
    /// A release or a commit.
    pub version: &'static str,
    pub files: &'static str,
}

const fn source(project: &'static str, version: &'static str, files: &'static str) -> Source {
    Source { project, version, files }
}

pub const SOURCES: [Source; 9] = [
    source(
        GVISOR,
        "3c5eee17d, August 2026",
        "`test/syscalls/linux/`: `socket_ip_tcp_generic.cc`, `tcp_socket.cc`, \
         `socket_generic_test_cases.cc`, `socket_inet_loopback.cc`; `test/packetimpact/tests/`: \
         `tcp_user_timeout_test.go`, `tcp_zero_window_probe_usertimeout_test.go`; \
         `pkg/tcpip/transport/tcp/test/e2e/tcp_test.go`",
    ),
    source(
        GO,
        "one by one, each at its own commit: 515fa6683, 1cce1a6a1, 16df5330e",
        "`src/net/`: `tcpconn_keepalive_conf_posix_test.go`, `tcpconn_keepalive_posix_test.go`, \
         `tcpconn_keepalive_test.go`",
    ),
    source(LIBUV, "6179e7af8, after 1.52.1", "`test/test-tcp-flags.c`, `src/unix/tcp.c`"),
    source(
        NET_KEEPALIVE,
        "4.0.27",
        "`test/unit/`: `test-interval.js`, `test-probes.js`, `test-timeout.js`, \
         `test-constants.js`; `test/integration/test-tcpdump.js`",
    ),
    source(SOCKET2, "0.6.4", "`tests/socket.rs`"),
    source(NIX, "fb799660c, after 0.31.3", "`test/sys/test_sockopt.rs`"),
    source(CRIU, "2cf8f13ca, after 4.2", "`test/zdtm/static/socket-tcp-keepalive.c`"),
    source(
        PACKETDRILL,
        "2c4001c4d, May 2026",
        "`gtests/net/tcp/`: `user_timeout/user_timeout.pkt`, \
         `user_timeout/user-timeout-probe.pkt`, `fastopen/client/fastopen-connect-keepalive.pkt`; \
         Linux has the first two in `tools/testing/selftests/net/packetdrill/`",
    ),
    source(
        NETDEV,
        "27 September 2019",
        "the script in the thread about TCP_USER_TIMEOUT in state SYN-SENT",
    ),
];
