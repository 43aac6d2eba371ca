/* What differs from kernel to kernel: dead peers with the promise, MPTCP, connecting sockets, another
 * process's socket. Needs nothing but loopback and the library.
 *
 * A peer dies when its socket gets a filter that drops every segment: then it answers nothing. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <keepalive.h>
#include <linux/filter.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static int failures;

static void check(const char *what, int holds) {
    printf("%s: %s\n", holds ? "ok" : "FAILED", what);
    failures += !holds;
}

static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, level, name, &value, &size) == 0 ? value : -errno;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct sockaddr_in loopback(int port) {
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int listen_on(struct sockaddr_in *at, int backlog) {
    socklen_t length = sizeof *at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    *at = loopback(0);
    if (bind(listener, (struct sockaddr *)at, length) != 0 || listen(listener, backlog) != 0 ||
        getsockname(listener, (struct sockaddr *)at, &length) != 0)
        return -1;
    return listener;
}

/* From now on nothing arrives there. */
static void die(int peer) {
    struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    struct sock_fprog program = {1, &nothing};
    check("a peer dies", setsockopt(peer, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0);
}

/* Connections with the promise of so many seconds: one waits, others write, each at another moment
 * after their peers have died; two write again and again. The last one's peer lives. */
enum { CONNECTIONS = 12 };

static void dead_peers(int seconds) {
    /* In parts of the time; -1: never. */
    static const double writes_at[CONNECTIONS] = {-1, 0, 0.08, 0.15, 0.25, 0.3, 0.35, 0.4, 0.45, 0.03, 0.36, 0.15};
    int fds[CONNECTIONS], peers[CONNECTIONS], error = 0;
    double told[CONNECTIONS] = {0}, next[CONNECTIONS], opened = now(), died, turn, late = 0;
    struct pollfd polled[CONNECTIONS];
    struct sockaddr_in at;
    int listener = listen_on(&at, CONNECTIONS);
    ka_settings settings = ka_detect_within(seconds), read;
    char what[128];

    check("ka_detect_within()", settings.enabled == 1);
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        error |= ka_apply(fds[i], &settings) | connect(fds[i], (struct sockaddr *)&at, sizeof at);
        peers[i] = accept(listener, NULL, NULL);
        error |= ka_get(fds[i], &read) | (memcmp(&read, &settings, sizeof read) != 0);
        polled[i].fd = fds[i];
        polled[i].events = POLLIN;
        next[i] = writes_at[i] * seconds;
    }
    check("ka_apply() of it, read back by ka_get()", error == 0);
    for (int i = 0; i < CONNECTIONS - 1; i++)
        die(peers[i]);
    died = turn = now();
    while (now() - died < seconds + 1) {
        poll(polled, CONNECTIONS, 20);
        if (now() - turn - 0.02 > late)
            late = now() - turn - 0.02;
        turn = now();
        for (int i = 0; i < CONNECTIONS; i++) {
            double since = now() - died;
            if (polled[i].fd >= 0 && (polled[i].revents & POLLERR)) {
                told[i] = since;
                polled[i].fd = -1;
            } else if (polled[i].fd >= 0 && next[i] >= 0 && since >= next[i]) {
                send(fds[i], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
                next[i] = i == 9 || i == 10 ? since + 0.5 : -1;
            }
        }
    }
    for (int i = 0; i < CONNECTIONS - 1; i++) {
        double written = writes_at[i] * seconds, silence = settings.idle + settings.intvl * settings.cnt;
        double earliest = written + settings.user_timeout_ms / 1000.0;
        if (written < 0 || earliest > silence)
            earliest = silence;
        snprintf(what, sizeof what, "of %d s, written at %.1f s: told after %.2f s, not before %.1f s", seconds, written,
                 told[i], earliest);
        /* A slow machine has spent time since it opened them, and the silence began then. */
        check(what, told[i] >= earliest - (died - opened) - 0.1 && told[i] <= seconds + late);
    }
    if (late > 0.1) /* an emulator that gets no processor: it is allowed this much more */
        printf("note: this machine stood still for %.1f s\n", late);
    check("a peer that lives is not given up", told[CONNECTIONS - 1] == 0);
    for (int i = 0; i < CONNECTIONS; i++) {
        close(fds[i]);
        close(peers[i]);
    }
    close(listener);
}

/* ka_status() of a connection whose probes are not answered: TCP_INFO's fields, whose number grows with each kernel. */
static void liveness(void) {
    struct sockaddr_in at;
    int listener = listen_on(&at, 1), fd = socket(AF_INET, SOCK_STREAM, 0), peer;
    ka_liveness status;
    double set;
    connect(fd, (struct sockaddr *)&at, sizeof at);
    peer = accept(listener, NULL, NULL);
    set = now();
    check("ka_set()", ka_set(fd, 1, 1, 9) == 0);
    check("ka_status() of a connection", ka_status(fd, &status) == 0 && status.state == KA_STATE_ESTABLISHED &&
                                             status.probes == 0 && status.unacked == 0 && status.rtt_us > 0 &&
                                             status.last_received_ms >= 0 && status.last_received_ms < 1000);
    die(peer);
    usleep(3500 * 1000);
    /* An emulator may have slept longer: there is a probe each second. */
    check("unanswered probes are counted", ka_status(fd, &status) == 0 && status.probes >= 2 && status.probes < now() - set + 0.5);
    check("so is the silence", status.last_received_ms >= 3400 && status.last_received_ms < (now() - set) * 1000 + 1000);
    send(fd, "x", 1, MSG_NOSIGNAL);
    check("and data in flight", ka_status(fd, &status) == 0 && status.unacked == 1 && status.last_sent_ms < 1000);
    check("a listener", ka_status(listener, &status) == 0 && status.state == KA_STATE_LISTEN && status.unacked == 0);
    close(fd);
    close(peer);
    close(listener);
}

/* Where a socket is connecting to, which getpeername(2) does not tell: ka_sockets() asks SO_PEERNAME. */
static void connecting(void) {
    struct sockaddr_in at;
    char expected[64];
    ka_socket sockets[64];
    int found = 0, count, listener = listen_on(&at, 0), fds[4];
    snprintf(expected, sizeof expected, "127.0.0.1:%d", ntohs(at.sin_port));
    for (int i = 0; i < 4; i++) { /* the queue has room for one or two */
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fds[i], (struct sockaddr *)&at, sizeof at);
    }
    usleep(100 * 1000);
    count = ka_sockets(sockets, 64);
    for (int i = 0; i < count; i++)
        found += sockets[i].state == KA_STATE_SYN_SENT && strcmp(sockets[i].remote, expected) == 0;
    check("ka_sockets() tells where sockets are connecting to", found >= 1);
    for (int i = 0; i < 4; i++) {
        struct stat stat;
        fstat(fds[i], &stat);
        check("ka_find()", ka_find(stat.st_dev, stat.st_ino) == fds[i]);
        close(fds[i]);
    }
    close(listener);
}

/* connect() to a host that does not answer, as docs/preload.md says: the user timeout limits it. A
 * listener whose queue is full drops what asks for a connection. */
static void connecting_to_nobody(void) {
    struct sockaddr_in at;
    char what[128];
    int listener = listen_on(&at, 0), fds[4], fd = socket(AF_INET, SOCK_STREAM, 0), limit = 2000, error;
    double started;
    for (int i = 0; i < 4; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fds[i], (struct sockaddr *)&at, sizeof at);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &limit, sizeof limit);
    started = now();
    error = connect(fd, (struct sockaddr *)&at, sizeof at) == 0 ? 0 : errno;
    snprintf(what, sizeof what, "connect() fails after %.2f s with a user timeout of 2 s", now() - started);
    check(what, error == ETIMEDOUT && now() - started >= 1.9 && now() - started < 4);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    close(fd);
    close(listener);
}

static void mptcp(void) {
    ka_settings settings;
    int error, fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
    if (fd < 0) {
        printf("note: MPTCP: this kernel makes no such socket (errno %d)\n", errno);
        return;
    }
    error = ka_set(fd, 61, 11, 7);
    if (error == 0) {
        check("MPTCP: ka_set()", option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1 && option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 61 &&
                                     option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 11 && option(fd, IPPROTO_TCP, TCP_KEEPCNT) == 7);
        check("MPTCP: ka_get(), without a user timeout", ka_get(fd, &settings) == 0 && settings.idle == 61 && settings.user_timeout_ms == -1);
        settings.idle = 62;
        check("MPTCP: what was read can be applied", ka_apply(fd, &settings) == 0 && option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 62);
        settings.idle = 63;
        settings.user_timeout_ms = 5000;
        check("MPTCP: a user timeout is refused", ka_apply(fd, &settings) == -ENOPROTOOPT && option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 62);
    } else {
        printf("note: MPTCP: this kernel has no keepalive values there: %s\n", ka_strerror(error));
        check("MPTCP: refused as other sockets are", error == -EOPNOTSUPP || error == -ENOPROTOOPT);
        check("MPTCP: and left as it was", option(fd, SOL_SOCKET, SO_KEEPALIVE) == 0);
    }
    close(fd);
}

/* The socket of another process, by pidfd_getfd(2), as the command line sets it. */
static void another_process(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), pipes[2], pidfd, taken;
    struct stat mine, there;
    char byte;
    if (pipe(pipes) != 0)
        return;
    pid_t child = fork();
    if (child == 0) { /* has the socket under the same number */
        close(pipes[1]);
        _exit(read(pipes[0], &byte, 1) == 0 && option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 61 ? 0 : 1);
    }
    fstat(fd, &mine);
    close(fd);
    close(pipes[0]);
    pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    taken = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
    check("pidfd_getfd(): the socket of another process", taken >= 0 && fstat(taken, &there) == 0 && there.st_ino == mine.st_ino);
    check("ka_find() finds it here", ka_find(mine.st_dev, mine.st_ino) == taken);
    check("ka_set() sets it", ka_set(taken, 61, 11, 7) == 0);
    close(pipes[1]);
    int status = -1;
    waitpid(child, &status, 0);
    check("and the other process has the values", WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(taken);
    close(pidfd);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    connecting();
    connecting_to_nobody();
    liveness();
    mptcp();
    another_process();
    dead_peers(6);
    dead_peers(10);
    printf("%s: kernel.c came to its end\n", failures == 0 ? "ok" : "FAILED");
    return failures != 0;
}
