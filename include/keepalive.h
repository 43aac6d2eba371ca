/* keepalive.h: notice dead TCP connections in seconds. Link with -lkeepalive.
 * Generated from src/abi.rs and core/src/types.rs by `make headers`; do not edit.
 *
 * Functions return 0, a count or a descriptor on success and a negative errno on failure.
 * No function closes a descriptor, allocates memory that the caller must free, or prints.
 * Each may be called from any thread. */

#ifndef KEEPALIVE_H
#define KEEPALIVE_H

#include <stddef.h>
#include <stdint.h>

#define KA_VERSION_MAJOR 1
#define KA_VERSION_MINOR 0
#define KA_VERSION_PATCH 0

/**
 * For idle, intvl and cnt: the value of a fresh socket of this system.
 */
#define KA_DEFAULT 0

/**
 * For any value: leaves the socket's value as it is.
 */
#define KA_UNCHANGED -1

/**
 * Both sides may send. This and the following are TCP's states with Linux's numbers, as
 * ka_liveness.state and ka_socket.state report them.
 */
#define KA_STATE_ESTABLISHED 1

/**
 * connect() has sent its SYN and waits for the answer.
 */
#define KA_STATE_SYN_SENT 2

/**
 * A SYN came in and was answered.
 */
#define KA_STATE_SYN_RECV 3

/**
 * This side has closed and waits for the other to acknowledge it.
 */
#define KA_STATE_FIN_WAIT1 4

/**
 * This side has closed, the other has not.
 */
#define KA_STATE_FIN_WAIT2 5

/**
 * Both sides have closed; the kernel waits for late segments. An open descriptor never has this
 * state: it has KA_STATE_CLOSE then.
 */
#define KA_STATE_TIME_WAIT 6

/**
 * Not connected: fresh, or ended.
 */
#define KA_STATE_CLOSE 7

/**
 * The other side has closed, this one has not.
 */
#define KA_STATE_CLOSE_WAIT 8

/**
 * Both have closed; the last acknowledgement is missing.
 */
#define KA_STATE_LAST_ACK 9

/**
 * Accepts connections.
 */
#define KA_STATE_LISTEN 10

/**
 * Both have closed at the same moment.
 */
#define KA_STATE_CLOSING 11

/**
 * The settings of a socket that decide when a dead peer is noticed: what ka_get() reads,
 * ka_apply() sets, and ka_defaults() and ka_detect_within() return.
 */
typedef struct ka_settings {
    /**
     * SO_KEEPALIVE: 1 on, 0 off. For ka_apply() also KA_UNCHANGED. A negative errno from
     * ka_defaults() and ka_detect_within(): the call failed.
     */
    int enabled;
    /**
     * TCP_KEEPIDLE: seconds without anything from the peer before the first probe.
     * -1 here and below where the platform or the socket has no such option.
     */
    int idle;
    /**
     * TCP_KEEPINTVL: seconds from one unanswered probe to the next.
     */
    int intvl;
    /**
     * TCP_KEEPCNT: unanswered probes after which the connection is given up.
     */
    int cnt;
    /**
     * TCP_USER_TIMEOUT: milliseconds that sent data may stay unacknowledged; 0 is the kernel's own
     * limit, some 15 minutes. On Linux it also replaces `cnt`.
     */
    int user_timeout_ms;
} ka_settings;

/**
 * What the kernel knows of a connection's health.
 */
typedef struct ka_liveness {
    /**
     * TCP state, one of KA_STATE_...
     */
    int state;
    /**
     * Keepalive probes, or probes of a closed window, that the peer has not answered so far.
     */
    int probes;
    /**
     * Segments in flight: sent and not acknowledged. While there are any, keepalive sends no
     * probes, and only TCP_USER_TIMEOUT ends the connection soon.
     */
    int unacked;
    /**
     * Milliseconds since anything came from the peer, acknowledgements included.
     * -1 here and below while nothing has come yet, and on sockets that are not connected.
     */
    int last_received_ms;
    /**
     * Milliseconds since data was last sent, or since the connection was established if none was;
     * probes do not count.
     */
    int last_sent_ms;
    /**
     * Smoothed round-trip time in microseconds.
     */
    int rtt_us;
} ka_liveness;

/**
 * One TCP socket of this process.
 */
typedef struct ka_socket {
    /**
     * The descriptor.
     */
    int fd;
    /**
     * TCP state, one of KA_STATE_..., or -1 where the platform does not report it.
     */
    int state;
    /**
     * This end as "192.0.2.1:3306" or "[2001:db8::1]:3306", NUL terminated; empty while unbound.
     * IPv4 connections of an IPv6 socket are written as IPv4.
     */
    char local[64];
    /**
     * The other end in the same form, also while connecting to it; empty while there is none.
     */
    char remote[64];
} ka_socket;

/**
 * This platform's numbers for setsockopt(2); -1 where it has no such option.
 */
typedef struct ka_option_numbers {
    /**
     * SOL_SOCKET, the level of SO_KEEPALIVE.
     */
    int sol_socket;
    /**
     * SO_KEEPALIVE.
     */
    int so_keepalive;
    /**
     * IPPROTO_TCP, the level of the options below.
     */
    int ipproto_tcp;
    /**
     * TCP_KEEPIDLE; macOS calls it TCP_KEEPALIVE.
     */
    int tcp_keepidle;
    /**
     * TCP_KEEPINTVL.
     */
    int tcp_keepintvl;
    /**
     * TCP_KEEPCNT.
     */
    int tcp_keepcnt;
    /**
     * TCP_USER_TIMEOUT.
     */
    int tcp_user_timeout;
} ka_option_numbers;

#ifdef __cplusplus
extern "C" {
#endif /* __cplusplus */

/**
 * Turns TCP keepalive on for a socket, with these values.
 *
 * When nothing has come from the peer for `idle` seconds, the kernel probes it every `intvl`
 * seconds. After `cnt` unanswered probes it ends the connection: the call that waits on the
 * socket, or the next one, fails with ETIMEDOUT. On an idle connection, a dead peer is noticed
 * after max(idle, intvl) + intvl * cnt seconds. While sent data is unacknowledged there are no
 * probes, and the program waits for some 15 minutes: ka_apply() with ka_detect_within() covers
 * that too.
 *
 * idle   seconds, 1 to 32767 on Linux, or KA_DEFAULT, or KA_UNCHANGED
 * intvl  seconds, 1 to 32767 on Linux, or KA_DEFAULT, or KA_UNCHANGED
 * cnt    probes, 1 to 127 on Linux, or KA_DEFAULT, or KA_UNCHANGED
 *
 * A listening socket can be set too: the connections it accepts inherit the values on Linux.
 * For KA_DEFAULT the socket gets the number that the sysctl has now; later changes of the sysctl
 * do not affect it. The user timeout is not changed; if the socket has one, it replaces `cnt` on
 * Linux. Calling again is harmless, except while probes are unanswered: each call then sends one
 * more, which counts.
 *
 * Returns 0, or a negative errno:
 *   -EINVAL                    a value is out of range; no system call was made
 *   -EBADF, -ENOTSOCK          fd is not open, or is not a socket
 *   -ENOPROTOOPT, -EOPNOTSUPP  the socket is not TCP, or the platform lacks an option
 *   -EMFILE, -ENFILE           for KA_DEFAULT only: these and the other errors of ka_defaults(),
 *                              which opens a socket
 *   -ERANGE                    for KA_DEFAULT only: the system's default (a sysctl outside the
 *                              limits here) cannot be written, and the socket does not have it
 *                              already
 *   -EPERM, -EACCES            a security policy refused the call
 *
 * If a value is refused, or the socket is not TCP, nothing is changed. The calls are, in this
 * order, setsockopt of TCP_KEEPINTVL, TCP_KEEPCNT, TCP_KEEPIDLE and SO_KEEPALIVE, without those
 * that are KA_UNCHANGED. If a security policy accepts the first calls and refuses a later one, the
 * first options keep their new value, and SO_KEEPALIVE is not changed.
 *
 * Example: ka_set(fd, 60, 10, 6) notices a dead peer on an idle connection within two minutes.
 */
int ka_set(int fd, int idle, int intvl, int cnt);

/**
 * Sets all five values of the structure on a socket, together.
 *
 * settings  enabled: 1 on, 0 off, or KA_UNCHANGED. idle, intvl, cnt: as in ka_set().
 *           user_timeout_ms: 0 (the kernel's own limit) to 2147483647, or KA_UNCHANGED
 *
 * The result of ka_get() can be given back as it is: read, change one member, apply; or read,
 * apply other values, and restore the old ones later. Where ka_get() says -1, because the
 * platform or the socket has no such option, -1 means KA_UNCHANGED here. A system default that no
 * socket accepts (a sysctl outside the limits of ka_set()), read and given back, stays as it is.
 *
 * Returns 0, or a negative errno as ka_set() does, and also:
 *   -EFAULT                    settings is NULL
 *   -EINVAL                    a value is out of range, and the socket does not have it already
 *   -ENOPROTOOPT               also: a user timeout for a platform or a socket (MPTCP) without it
 *
 * If a value is refused, or the socket is not TCP, nothing is changed. The calls are, in this
 * order, setsockopt of TCP_USER_TIMEOUT, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_KEEPIDLE and
 * SO_KEEPALIVE, without those that are KA_UNCHANGED. For a security policy that refuses one of
 * them, see ka_set().
 *
 * Example, the promise of ka_detect_within():
 *   ka_settings settings = ka_detect_within(30);
 *   int error = ka_apply(fd, &settings);
 *
 * Example, one value changed, and later all of them put back:
 *   ka_settings before, settings;
 *   int error = ka_get(fd, &before);
 *   settings = before;
 *   settings.idle = 30;
 *   if (error == 0)
 *       error = ka_apply(fd, &settings);
 *   ...
 *   if (error == 0)
 *       error = ka_apply(fd, &before);
 */
int ka_apply(int fd, const struct ka_settings *settings);

/**
 * The settings with which a program is told of a dead peer within this many seconds.
 *
 * The time counts from the moment that the peer falls silent, whatever the program does: wait,
 * write at any moment, write again, use TLS or not, with a round trip of up to 200 ms. Half of the
 * time, less the delays of the kernel's timers, is for silence and probes. The other half is for
 * data that is written to a dead peer: such data stops the probes and starts the user timeout, so
 * the two times add up. The function only calculates, and makes no system call. Give the result
 * to ka_apply().
 *
 * The price: an outage of half of that time ends the connection, and a shorter one may. From 10
 * seconds on, it certainly survives a sixth of that time. A peer that lives, but keeps its receive
 * window closed for half of that time, is given up too. The promise does not cover a program that
 * has set TCP_NODELAY and goes on writing small pieces to a peer far away: each piece may delay
 * the first repetition of the data by two round trips, until the congestion window is full.
 *
 * seconds  6 to 14400 (four hours)
 *
 * Returns the settings. Out of range: `enabled` is -EINVAL and the rest is -1.
 */
struct ka_settings ka_detect_within(int seconds);

/**
 * The settings that a fresh TCP socket of this system has.
 *
 * Read from the kernel at every call, so it follows sysctl (net.ipv4.tcp_keepalive_time, _intvl,
 * _probes) and network namespaces. On Linux usually 0, 7200, 75, 9, 0.
 *
 * Returns the settings. On failure `enabled` is a negative errno (-EMFILE, -ENFILE, -ENOBUFS,
 * -ENOMEM, -EACCES, -EPERM, or -EAFNOSUPPORT where IPv4 and IPv6 are missing or forbidden) and the
 * rest is -1.
 */
struct ka_settings ka_defaults(void);

/**
 * Reads back from the kernel what is in effect on a socket.
 *
 * Options that were never set on the socket show the system's default. If `enabled` is 0, the
 * others are the values that will be used once keepalive is switched on. `user_timeout_ms` is -1
 * on MPTCP, where Linux has none.
 *
 * Returns 0, or a negative errno: -EBADF, -ENOTSOCK, -ENOPROTOOPT or -EOPNOTSUPP as ka_set(),
 * -EFAULT when `settings` is NULL. On failure `settings` is not written.
 */
int ka_get(int fd, struct ka_settings *settings);

/**
 * Turns keepalive off (SO_KEEPALIVE); the other values stay for the next time.
 *
 * Returns 0, or a negative errno: -EBADF, -ENOTSOCK, -ENOPROTOOPT or -EOPNOTSUPP as ka_set().
 */
int ka_disable(int fd);

/**
 * What the kernel knows of a connection's health (TCP_INFO).
 *
 * It sends nothing and changes nothing. Linux only.
 *
 * Returns 0, or a negative errno: -EBADF, -ENOTSOCK, -ENOPROTOOPT or -EOPNOTSUPP as ka_set(),
 * -ENOPROTOOPT on other platforms, -EFAULT when `liveness` is NULL. On failure `liveness` is not
 * written.
 */
int ka_status(int fd, struct ka_liveness *liveness);

/**
 * The open descriptor of this process whose fstat(2) has this device and inode.
 *
 * For callers that can get the fstat of a socket but not its descriptor, as with PHP's streams.
 * If a socket has several descriptors (dup(2)), any of them is returned: options belong to the
 * socket. For a socket that was just opened or found before, and for sockets that are looked for
 * one after the other, the search takes a few system calls. Otherwise, for example if a new
 * socket reuses a number among many open ones, it takes at most one fstat for each open
 * descriptor.
 *
 * Returns the descriptor, 0 or larger, or -ENOENT.
 */
int ka_find(uint64_t dev, uint64_t ino);

/**
 * The TCP sockets that this process has open: listening, connecting, connected or unconnected.
 *
 * sockets   room for `capacity` sockets; with NULL the sockets are only counted
 * capacity  nothing is written past it
 *
 * Other threads may open and close sockets at the same time. Each socket is described as it was at
 * one moment; when its descriptor is used later, it may belong to another socket.
 *
 * Returns the number of sockets, which may be more than `capacity`.
 */
int ka_sockets(struct ka_socket *sockets, size_t capacity);

/**
 * This platform's option numbers, for programs that cannot include its headers.
 *
 * Returns the numbers; -1 where the platform has no such option.
 */
struct ka_option_numbers ka_options(void);

/**
 * An English sentence for what a function of this library returned: "ENAME: likely cause."
 *
 * error  the value as returned, negative errno; 0 and counts are "Success: no error."
 *
 * Returns a static string, never NULL, not to be freed.
 */
const char *ka_strerror(int error);

/**
 * The version of the library that is loaded, "1.0.0"; the header's is KA_VERSION_MAJOR, _MINOR
 * and _PATCH.
 *
 * Returns a static string, not to be freed.
 */
const char *ka_version(void);

#ifdef __cplusplus
}  /* extern "C" */
#endif  /* __cplusplus */

#endif  /* KEEPALIVE_H */
