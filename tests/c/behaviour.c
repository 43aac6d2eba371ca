/* The library as a C program uses it: each function, its results in memory, threads and fork.
 *
 * Prints a line for each check; what the library claims is compared with the kernel's own answer. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <keepalive.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* Whether the kernel has these values on the socket. */
static int has(int fd, int enabled, int idle, int intvl, int cnt, int user_timeout) {
    return option(fd, SOL_SOCKET, SO_KEEPALIVE) == enabled &&
           option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == idle &&
           option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == intvl &&
           option(fd, IPPROTO_TCP, TCP_KEEPCNT) == cnt &&
           option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == user_timeout;
}

static int tcp(void) { return socket(AF_INET, SOCK_STREAM, 0); }

/* Both ends of a connection over loopback, and the listener's address as text. */
static void connect_pair(int ends[2], char *address, size_t size) {
    struct sockaddr_in at;
    socklen_t length = sizeof at;
    int listener = tcp();
    memset(&at, 0, sizeof at);
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int failed = bind(listener, (struct sockaddr *)&at, sizeof at) | listen(listener, 1) |
                 getsockname(listener, (struct sockaddr *)&at, &length);
    ends[0] = tcp();
    failed |= connect(ends[0], (struct sockaddr *)&at, sizeof at);
    ends[1] = accept(listener, NULL, NULL);
    snprintf(address, size, "127.0.0.1:%d", ntohs(at.sin_port));
    check("a connection over loopback", !failed && ends[1] >= 0);
    close(listener);
}

static void options_of_a_socket(void) {
    int fd = tcp();
    ka_settings settings = {9, 9, 9, 9, 9};
    ka_settings defaults = ka_defaults();
    check("ka_defaults() is what a fresh socket has",
          has(fd, defaults.enabled, defaults.idle, defaults.intvl, defaults.cnt,
              defaults.user_timeout_ms));
    check("ka_set()", ka_set(fd, 61, 11, 7) == 0 && has(fd, 1, 61, 11, 7, 0));
    check("ka_get()", ka_get(fd, &settings) == 0 && settings.enabled == 1 && settings.idle == 61 &&
                          settings.intvl == 11 && settings.cnt == 7 && settings.user_timeout_ms == 0);
    check("KA_UNCHANGED and KA_DEFAULT", ka_set(fd, KA_UNCHANGED, KA_DEFAULT, 5) == 0 &&
                                             has(fd, 1, 61, defaults.intvl, 5, 0));
    check("a refused value changes nothing",
          ka_set(fd, 60, 10, 128) == -EINVAL && has(fd, 1, 61, defaults.intvl, 5, 0));
    check("ka_disable()", ka_disable(fd) == 0 && has(fd, 0, 61, defaults.intvl, 5, 0));
    check("ka_get() without a place", ka_get(fd, NULL) == -EFAULT);
    check("ka_status() without a place", ka_status(fd, NULL) == -EFAULT);
    close(fd);
    check("a closed descriptor", ka_set(fd, 60, 10, 6) == -EBADF);
}

static void settings_as_one_thing(void) {
    int fd = tcp();
    ka_settings settings = {1, 62, 12, 8, 90000};
    ka_settings before;
    check("ka_apply()", ka_apply(fd, &settings) == 0 && has(fd, 1, 62, 12, 8, 90000));

    check("read, change one member, apply", ka_get(fd, &before) == 0);
    settings = before;
    settings.idle = 30;
    check("one member is changed", ka_apply(fd, &settings) == 0 && has(fd, 1, 30, 12, 8, 90000));
    check("all of them are put back", ka_apply(fd, &before) == 0 && has(fd, 1, 62, 12, 8, 90000));

    settings.user_timeout_ms = -2;
    check("a refused value changes nothing",
          ka_apply(fd, &settings) == -EINVAL && has(fd, 1, 62, 12, 8, 90000));
    check("ka_apply() without settings", ka_apply(fd, NULL) == -EFAULT);

    settings = ka_detect_within(30);
    check("ka_detect_within(), for ka_apply()",
          ka_apply(fd, &settings) == 0 && settings.enabled == 1 && settings.idle > 0 &&
              has(fd, 1, settings.idle, settings.intvl, settings.cnt, settings.user_timeout_ms));
    settings = ka_detect_within(5);
    check("ka_detect_within() out of range",
          settings.enabled == -EINVAL && settings.idle == -1 && settings.intvl == -1 &&
              settings.cnt == -1 && settings.user_timeout_ms == -1);
    check("ka_apply() refuses that result", ka_apply(fd, &settings) == -EINVAL);
    close(fd);
}

static void other_descriptors(void) {
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    int local = socket(AF_UNIX, SOCK_STREAM, 0);
    int ends[2];
    check("a UDP socket is refused", ka_set(udp, 60, 10, 6) == -ENOPROTOOPT);
    check("a unix socket is refused", ka_set(local, 60, 10, 6) == -EOPNOTSUPP);
    check("and both stay as they were", option(udp, SOL_SOCKET, SO_KEEPALIVE) == 0 &&
                                            option(local, SOL_SOCKET, SO_KEEPALIVE) == 0);
    check("a pipe is refused", pipe(ends) == 0 && ka_set(ends[0], 60, 10, 6) == -ENOTSOCK);
    close(udp);
    close(local);
    close(ends[0]);
    close(ends[1]);
}

static void connections(void) {
    int ends[2];
    char address[64];
    ka_liveness liveness;
    ka_socket list[3];
    struct stat identity;
    connect_pair(ends, address, sizeof address);

    check("ka_status() of a connection",
          ka_status(ends[0], &liveness) == 0 && liveness.state == KA_STATE_ESTABLISHED &&
              liveness.probes == 0 && liveness.unacked == 0 && liveness.last_received_ms >= 0 &&
              liveness.last_received_ms < 10000 && liveness.rtt_us > 0);

    check("ka_find() by fstat", fstat(ends[1], &identity) == 0 &&
                                    ka_find(identity.st_dev, identity.st_ino) == ends[1]);
    check("ka_find() of what is not there", ka_find(identity.st_dev, 1) == -ENOENT);
    if (sizeof(long) == 4) { /* an inode of which 32-bit PHP makes a negative number */
        int fd = open("/proc/self/ns/net", O_RDONLY);
        check("a large inode", fstat(fd, &identity) == 0 && (int32_t)identity.st_ino < 0);
        check("ka_find() by it", ka_find(identity.st_dev, identity.st_ino) == fd);
        check("ka_find() by what 32-bit PHP knows of it",
              ka_find(identity.st_dev, (uint64_t)(int64_t)(int32_t)identity.st_ino) == fd);
        close(fd);
    }

    memset(list, 0x55, sizeof list);
    check("ka_sockets() counts", ka_sockets(NULL, 0) == 2);
    check("ka_sockets() keeps to its room", ka_sockets(list, 1) == 2 && list[1].fd == 0x55555555);
    check("ka_sockets() tells descriptor, state and addresses",
          ka_sockets(list, 3) == 2 && list[0].fd == ends[0] && list[1].fd == ends[1] &&
              list[0].state == KA_STATE_ESTABLISHED && strcmp(list[0].remote, address) == 0 &&
              strcmp(list[1].local, address) == 0 && strcmp(list[1].remote, list[0].local) == 0);
    close(ends[0]);
    close(ends[1]);
}

static void texts(void) {
    char version[32];
    ka_option_numbers numbers = ka_options();
    snprintf(version, sizeof version, "%d.%d.%d", KA_VERSION_MAJOR, KA_VERSION_MINOR,
             KA_VERSION_PATCH);
    check("ka_version() is the header's", strcmp(ka_version(), version) == 0);
    check("ka_strerror() starts with the errno's name",
          strncmp(ka_strerror(-EBADF), "EBADF: ", 7) == 0);
    check("ka_options() has the system headers' numbers",
          numbers.sol_socket == SOL_SOCKET && numbers.so_keepalive == SO_KEEPALIVE &&
              numbers.ipproto_tcp == IPPROTO_TCP && numbers.tcp_keepidle == TCP_KEEPIDLE &&
              numbers.tcp_keepintvl == TCP_KEEPINTVL && numbers.tcp_keepcnt == TCP_KEEPCNT &&
              numbers.tcp_user_timeout == TCP_USER_TIMEOUT);
}

static void *set_many_times(void *number) {
    int value = *(int *)number;
    int wrong = 0;
    for (int round = 0; round < 500; round++) {
        int fd = tcp();
        wrong += ka_set(fd, value, KA_DEFAULT, value) != 0 ||
                 option(fd, IPPROTO_TCP, TCP_KEEPIDLE) != value ||
                 option(fd, IPPROTO_TCP, TCP_KEEPCNT) != value;
        close(fd);
    }
    *(int *)number = wrong;
    return NULL;
}

static void threads(void) {
    pthread_t thread[4];
    int value[4];
    int wrong = 0;
    for (int i = 0; i < 4; i++) {
        value[i] = 10 + i;
        wrong += pthread_create(&thread[i], NULL, set_many_times, &value[i]) != 0;
    }
    for (int i = 0; i < 4; i++) {
        wrong += pthread_join(thread[i], NULL) != 0;
        wrong += value[i];
    }
    check("four threads, each with its own sockets", wrong == 0);
}

/* The functions that open or close something. Not inline: the caller's stack is unwound, so it may have
 * no variables that AddressSanitizer watches. */
__attribute__((noinline)) static int functions_work(int fd) {
    return ka_set(fd, KA_DEFAULT, 10, 6) == 0 && ka_find(0, 1) == -ENOENT &&
           ka_sockets(NULL, 0) >= 1 && ka_defaults().enabled == 0;
}

static void *is_cancelled(void *came_to_the_end) {
    pthread_cancel(pthread_self());
    *(int *)came_to_the_end = functions_work(tcp());
    pthread_testcancel();
    return NULL;
}

static void a_cancelled_thread(void) {
    pthread_t thread;
    void *result;
    int came_to_the_end = 0;
    pthread_create(&thread, NULL, is_cancelled, &came_to_the_end);
    pthread_join(thread, &result);
    check("no function is a cancellation point", came_to_the_end && result == PTHREAD_CANCELED);
}

static volatile sig_atomic_t handled;

static void handler(int signal) {
    (void)signal;
    handled = ka_find(0, 1) == -ENOENT && ka_sockets(NULL, 0) >= 1;
}

#ifndef __has_feature /* clang's */
#define __has_feature(name) 0
#endif

/* The memory below the stack cannot be written: a function that needs more stack ends the program. */
static void a_signal_stack(void) {
    /* 8192 on x86-64; more for processors with more registers, which the kernel saves on this stack. */
    size_t size = SIGSTKSZ, guard = 65536;
    if (__has_feature(address_sanitizer)) /* needs more of the stack than the library */
        size *= 8;
    char *memory = mmap(NULL, guard + size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = tcp();
    stack_t stack = {.ss_sp = memory + guard, .ss_size = size}, none = {.ss_flags = SS_DISABLE};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    int failed = mprotect(memory + guard, size, PROT_READ | PROT_WRITE) | sigaltstack(&stack, NULL) |
                 sigaction(SIGUSR1, &action, NULL) | raise(SIGUSR1) | sigaltstack(&none, NULL);
    check("ka_find() and ka_sockets() on a signal stack of the usual size", !failed && handled);
    munmap(memory, guard + size);
    close(fd);
}

static void a_forked_process(void) {
    int fd = tcp();
    int status = -1;
    struct stat identity;
    fstat(fd, &identity);
    pid_t child = fork();
    if (child == 0) {
        _exit(ka_find(identity.st_dev, identity.st_ino) == fd && ka_set(fd, 62, 12, 8) == 0 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    check("a forked process finds and sets what it inherited",
          status == 0 && has(fd, 1, 62, 12, 8, 0));
    close(fd);
}

int main(void) {
    options_of_a_socket();
    settings_as_one_thing();
    other_descriptors();
    connections();
    texts();
    threads();
    a_cancelled_thread();
    a_signal_stack();
    a_forked_process();
    return failures != 0;
}
