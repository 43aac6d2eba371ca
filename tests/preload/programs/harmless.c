/* Ways to open sockets in which an object in LD_PRELOAD could do harm: harmless CASE
 *
 * Each case prints what its sockets have, by options(), and "errno kept" where errno is as it was.
 */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t length = sizeof value;
    return getsockopt(fd, level, name, &value, &length) == 0 ? value : -errno;
}

static int is_set(int fd)
{
    return option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1 && option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 47
        && option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 11 && option(fd, IPPROTO_TCP, TCP_KEEPCNT) == 5;
}

static void options(const char *what, int fd)
{
    printf("%s: %d %d %d %d %d\n", what, option(fd, SOL_SOCKET, SO_KEEPALIVE), option(fd, IPPROTO_TCP, TCP_KEEPIDLE),
           option(fd, IPPROTO_TCP, TCP_KEEPINTVL), option(fd, IPPROTO_TCP, TCP_KEEPCNT),
           option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT));
    fflush(stdout);
}

static void set(int fd, int level, int name, int value)
{
    if (setsockopt(fd, level, name, &value, sizeof value) != 0)
        perror("setsockopt");
}

static int tcp(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* A listening socket with a port of its own, and the port. */
static int listener(int backlog, int *port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t length = sizeof address;
    int fd = tcp();
    if (bind(fd, (struct sockaddr *)&address, length) != 0 || listen(fd, backlog) != 0
        || getsockname(fd, (struct sockaddr *)&address, &length) != 0)
        perror("listener");
    *port = ntohs(address.sin_port);
    return fd;
}

static int connect_to(int fd, int port)
{
    struct sockaddr_in address = loopback(port);
    return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static void refuse(int call)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        perror("seccomp");
}

static void seccomp(void)
{
    int port, listening = listener(1, &port);
    refuse(SYS_setsockopt);
    errno = 1234;
    int fd = tcp();
    puts(errno == 1234 ? "errno kept" : "errno changed");
    options("refused", fd);
    errno = 1234;
    int connected = connect_to(fd, port);
    puts(connected == 0 && errno == 1234 ? "connected, errno kept" : "not connected, or errno changed");
    close(listening);
}

static void seccomp_getsockopt(void)
{
    int port, listening = listener(1, &port);
    refuse(SYS_getsockopt);
    puts(connect_to(tcp(), port) == 0 ? "connected" : "not connected");
    close(listening);
}

static void full_table(void)
{
    struct rlimit few = { 8, 8 };
    setrlimit(RLIMIT_NOFILE, &few);
    int fd, last = -1;
    while ((fd = tcp()) >= 0)
        last = fd;
    printf("%s\n", strerrorname_np(errno));
    options("the last", last);
}

/* A sandbox: writing to a file ends the program. */
static void no_files(void)
{
    struct rlimit before, none;
    getrlimit(RLIMIT_FSIZE, &before);
    none = (struct rlimit){ 0, before.rlim_max };
    setrlimit(RLIMIT_FSIZE, &none);
    int fd = tcp();
    setrlimit(RLIMIT_FSIZE, &before);
    options("without files", fd);
}

/* Programs close descriptors that they do not know. */
static void closed(void)
{
    options("before", tcp());
    close_range(3, ~0U, 0);
    int fd = tcp();
    printf("descriptor %d\n", fd);
    options("after", fd);
}

static void children(void)
{
    fflush(stdout);
    if (fork() == 0) {
        options("fork", tcp());
        _exit(0);
    }
    wait(NULL);
    volatile int fd = -1;
    if (vfork() == 0) {
        fd = tcp(); /* the child's descriptor, in the parent's memory */
        printf("vfork: %d\n", is_set(fd));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    extern char **environ;
    char *arguments[] = { "/proc/self/exe", "one", NULL };
    char path[4096] = "";
    if (readlink("/proc/self/exe", path, sizeof path - 1) < 0)
        perror("readlink");
    pid_t spawned;
    posix_spawn(&spawned, path, NULL, NULL, arguments, environ);
    waitpid(spawned, NULL, 0);
}

static void *many(void *wrong)
{
    for (int i = 0; i < 2000; i++) {
        int fd = tcp();
        if (!is_set(fd))
            __atomic_fetch_add((int *)wrong, 1, __ATOMIC_RELAXED);
        close(fd);
    }
    return NULL;
}

static void threads(void)
{
    pthread_t all[8];
    int wrong = 0;
    for (int i = 0; i < 8; i++)
        pthread_create(&all[i], NULL, many, &wrong);
    for (int i = 0; i < 8; i++)
        pthread_join(all[i], NULL);
    printf("wrong: %d\n", wrong);
}

static volatile sig_atomic_t handled, wrong_in_handler;

static void handler(int signal)
{
    (void)signal;
    int before = errno, fd = tcp();
    if (!is_set(fd))
        wrong_in_handler++;
    close(fd);
    handled++;
    errno = before;
}

static void signals(void)
{
    struct itimerval often = { { 0, 100 }, { 0, 100 } };
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    int wrong = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    while (handled < 2000)
        many(&wrong);
    printf("wrong: %d and %d\n", wrong, wrong_in_handler);
}

static void *waits_in_connect(void *port)
{
    int fd = tcp();
    connect_to(fd, *(int *)port);
    return NULL;
}

/* It is cancelled in pthread_testcancel(), and in none of the calls before. */
static void *is_cancelled(void *came_to_the_end)
{
    int off = 0, port;
    pthread_cancel(pthread_self());
    int fd = listener(1, &port);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &off, sizeof off);
    *(int *)came_to_the_end = is_set(fd);
    pthread_testcancel();
    return NULL;
}

/* A thread that waits in connect(), because the listener's queue is full, is cancelled. */
static void cancelled(void)
{
    int came_to_the_end = 0;
    int port, listening = listener(0, &port);
    pthread_t thread;
    void *result;
    connect_to(tcp(), port);
    pthread_create(&thread, NULL, waits_in_connect, &port);
    usleep(200000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    puts(result == PTHREAD_CANCELED ? "cancelled" : "not cancelled");
    close(listening);
    pthread_create(&thread, NULL, is_cancelled, &came_to_the_end);
    pthread_join(thread, &result);
    puts(came_to_the_end ? "only there" : "too early");
}

/* What the program sets itself: after the socket is there, and before it connects. */
static void own(void)
{
    int port, listening = listener(4, &port), all = tcp(), some = tcp(), none = tcp(), timeout = tcp();
    int values[][2] = { { TCP_KEEPIDLE, 9 }, { TCP_KEEPINTVL, 8 }, { TCP_KEEPCNT, 7 }, { TCP_USER_TIMEOUT, 6000 } };
    for (int i = 0; i < 4; i++)
        set(all, IPPROTO_TCP, values[i][0], values[i][1]);
    set(some, IPPROTO_TCP, TCP_KEEPIDLE, 9);
    connect_to(all, port);
    connect_to(some, port);
    connect_to(none, port);
    options("all", all);
    options("some", some);
    options("none", none);
    set(all, SOL_SOCKET, SO_KEEPALIVE, 0);
    set(none, SOL_SOCKET, SO_KEEPALIVE, 0);
    set(timeout, IPPROTO_TCP, TCP_USER_TIMEOUT, 6000);
    connect_to(timeout, port);
    set(timeout, SOL_SOCKET, SO_KEEPALIVE, 0);
    printf("switched off: %d with its own values, %d with others'\n", option(all, SOL_SOCKET, SO_KEEPALIVE),
           option(none, SOL_SOCKET, SO_KEEPALIVE));
    printf("with its own user timeout: %d\n", option(timeout, SOL_SOCKET, SO_KEEPALIVE));
    set(none, IPPROTO_TCP, TCP_KEEPIDLE, 10);
    connect_to(none, port);
    printf("set after connect(), which is called again: %d\n", option(none, IPPROTO_TCP, TCP_KEEPIDLE));
    close(listening);
}

/* An administrator changes the sysctl while the program runs. */
static void sysctl_changes(void)
{
    int port, listening = listener(1, &port);
    FILE *sysctl = fopen("/proc/sys/net/ipv4/tcp_keepalive_time", "w");
    if (sysctl == NULL || fputs("600", sysctl) < 0 || fclose(sysctl) != 0)
        perror("tcp_keepalive_time");
    int fd = tcp();
    connect_to(fd, port);
    options("afterwards", fd);
    close(listening);
}

/* It has no user timeout, unless its peer knows only TCP, and gets the rest. */
static void mptcp(void)
{
    int port, listening = listener(1, &port), fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
    if (fd < 0)
        perror("an MPTCP socket (sysctl net.mptcp.enabled)");
    puts(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) < 0 ? "no user timeout" : "a user timeout");
    connect_to(fd, port);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 0);
    printf("set and not switched off: %d, user timeout: %d\n", is_set(fd), option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT));
    close(listening);
}

/* connect() with something that is not an address. */
static void addresses(void)
{
    struct sockaddr_in address = loopback(1);
    int fd = tcp();
    int null = connect(fd, NULL, sizeof address) < 0 ? errno : 0;
    int none = connect(fd, (struct sockaddr *)&address, 0) < 0 ? errno : 0;
    int half = connect(fd, (struct sockaddr *)&address, 5) < 0 ? errno : 0;
    int closed = connect(-1, (struct sockaddr *)&address, sizeof address) < 0 ? errno : 0;
    int listening = listen(-1, 1) < 0 ? errno : 0;
    int option = setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, NULL, sizeof option) < 0 ? errno : 0;
    printf("%s %s %s %s %s %s\n", strerrorname_np(null), strerrorname_np(none), strerrorname_np(half),
           strerrorname_np(closed), strerrorname_np(listening), strerrorname_np(option));
}

/* Everything that is not TCP, used as programs use it; strace looks on. */
static void others(void)
{
    struct sockaddr_in address = loopback(9);
    struct sockaddr_in6 address6 = { .sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr_un path = { .sun_family = AF_UNIX };
    int kinds[][3] = {
        { AF_INET, SOCK_DGRAM, 0 }, { AF_INET6, SOCK_DGRAM, 0 }, { AF_INET, SOCK_RAW, IPPROTO_ICMP },
        { AF_INET, SOCK_RAW, IPPROTO_TCP }, { AF_NETLINK, SOCK_RAW, 0 }, { AF_INET, SOCK_STREAM, IPPROTO_SCTP },
        { AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP }, { 40 /* AF_VSOCK */, SOCK_STREAM, 0 },
        { AF_UNIX, SOCK_STREAM, 0 }, { AF_UNIX, SOCK_DGRAM, 0 },
    };
    snprintf(path.sun_path, sizeof path.sun_path, "/tmp/keepalive-nobody-%d", getpid());
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int fd = socket(kinds[i][0], kinds[i][1], kinds[i][2]);
        if (fd < 0)
            continue; /* this kernel has no such sockets */
        if (kinds[i][0] == AF_INET)
            connect(fd, (struct sockaddr *)&address, sizeof address);
        else if (kinds[i][0] == AF_INET6)
            connect(fd, (struct sockaddr *)&address6, sizeof address6);
        else if (kinds[i][0] == AF_UNIX)
            connect(fd, (struct sockaddr *)&path, sizeof path);
        if (kinds[i][0] == AF_UNIX && kinds[i][1] == SOCK_STREAM) {
            bind(fd, (struct sockaddr *)&path, sizeof path);
            listen(fd, 1);
            unlink(path.sun_path);
        }
        int on = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        close(fd);
    }
}

/* A library that is only on this program's own search path. */
static void library(void)
{
    puts(dlopen("libof-the-program.so", RTLD_NOW) ? "found" : dlerror());
}

static void one(void)
{
    options("one", tcp());
}

int main(int count, char **arguments)
{
    static const struct { const char *name; void (*run)(void); } cases[] = {
        { "one", one }, { "seccomp", seccomp }, { "seccomp-getsockopt", seccomp_getsockopt },
        { "full-table", full_table }, { "no-files", no_files }, { "closed", closed }, { "children", children },
        { "threads", threads }, { "signals", signals }, { "cancelled", cancelled }, { "own", own }, { "mptcp", mptcp },
        { "addresses", addresses }, { "others", others }, { "library", library },
        { "sysctl-changes", sysctl_changes },
    };
    for (size_t i = 0; count > 1 && i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(cases[i].name, arguments[1]) == 0) {
            cases[i].run();
            return 0;
        }
    }
    fprintf(stderr, "usage: harmless CASE\n");
    return 2;
}
