/* Calls the library between marks that tests/c/system-calls.bats finds in its trace.
 *
 *     traced calls        each function once or more, and prints what it returned
 *     traced find COUNT   ka_find() with COUNT sockets open
 *     traced walk         ka_find() of what is not there, where /proc cannot be read
 */
#define _GNU_SOURCE

#include <errno.h>
#include <keepalive.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Writing to descriptor -1 does nothing, and the trace shows the text. */
static void mark(const char *text) {
    if (write(-1, text, strlen(text)) != -1 || errno != EBADF) {
        fputs("descriptor -1 can be written to\n", stderr);
        exit(1);
    }
}

/* `mark` is one word; it goes before the call, and "end" after it. */
#define TRACED(name, call)                 \
    do {                                   \
        mark("begin " name);               \
        int returned = (call);             \
        mark("end");                       \
        printf("%s %d\n", name, returned); \
    } while (0)

static int keepalive(int fd) {
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size) == 0 ? value : -errno;
}

static void calls(void) {
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    int local = socket(AF_UNIX, SOCK_STREAM, 0);
    ka_settings settings;
    ka_liveness liveness;
    const int U = KA_UNCHANGED;
    printf("tcp %d\nudp %d\nunix %d\n", tcp, udp, local);

    TRACED("set", ka_set(tcp, 60, 10, 6));
    TRACED("set_again", ka_set(tcp, 60, 10, 6));
    TRACED("set_largest", ka_set(tcp, 32767, 32767, 127));
    TRACED("set_without_idle", ka_set(tcp, U, 10, 6));
    TRACED("set_without_intvl", ka_set(tcp, 60, U, 6));
    TRACED("set_without_cnt", ka_set(tcp, 60, 10, U));
    TRACED("set_idle", ka_set(tcp, 60, U, U));
    TRACED("set_intvl", ka_set(tcp, U, 10, U));
    TRACED("set_cnt", ka_set(tcp, U, U, 6));
    TRACED("set_nothing", ka_set(tcp, U, U, U));
    TRACED("set_default", ka_set(tcp, KA_DEFAULT, 10, 6));

    TRACED("refused_idle", ka_set(tcp, 32768, 10, 6));
    TRACED("refused_intvl", ka_set(tcp, 60, -2, 6));
    TRACED("refused_cnt", ka_set(tcp, 60, 10, 128));
    TRACED("refused_with_default", ka_set(tcp, KA_DEFAULT, KA_DEFAULT, 128));
    TRACED("refused_timeout", ka_apply(tcp, &(ka_settings){1, 60, 10, 6, -2}));
    TRACED("refused_enabled", ka_apply(tcp, &(ka_settings){2, 60, 10, 6, 0}));
    TRACED("refused_by_apply", ka_apply(tcp, &(ka_settings){1, 60, -2, 6, 0}));
    TRACED("no_settings", ka_apply(tcp, NULL));

    TRACED("set_udp", ka_set(udp, 60, 10, 6));
    TRACED("set_unix", ka_set(local, 60, 10, 6));
    printf("keepalive_of_udp %d\nkeepalive_of_unix %d\n", keepalive(udp), keepalive(local));
    TRACED("set_minus_one", ka_set(-1, 60, 10, 6));

    TRACED("get", ka_get(tcp, &settings));
    TRACED("disable", ka_disable(tcp));
    TRACED("apply", ka_apply(tcp, &(ka_settings){1, 60, 10, 6, 5000}));
    TRACED("apply_off", ka_apply(tcp, &(ka_settings){0, U, U, U, 0}));
    TRACED("apply_enabled", ka_apply(tcp, &(ka_settings){1, U, U, U, U}));
    TRACED("apply_user_timeout", ka_apply(tcp, &(ka_settings){U, U, U, U, 6000}));
    TRACED("apply_nothing", ka_apply(tcp, &(ka_settings){U, U, U, U, U}));
    TRACED("apply_default", ka_apply(tcp, &(ka_settings){U, 60, 10, KA_DEFAULT, U}));
    TRACED("apply_impossible", ka_apply(tcp, &(ka_settings){1, 32768, 10, 6, 5000}));
    TRACED("apply_udp", ka_apply(udp, &(ka_settings){1, 60, 10, 6, 5000}));
    TRACED("apply_unix", ka_apply(local, &(ka_settings){1, 60, 10, 6, 5000}));
    TRACED("apply_udp_partly", ka_apply(udp, &(ka_settings){1, 60, 10, 6, U}));
    TRACED("apply_minus_one", ka_apply(-1, &(ka_settings){1, 60, 10, 6, 5000}));
    printf("keepalive_of_udp_then %d\nkeepalive_of_unix_then %d\n", keepalive(udp), keepalive(local));
    TRACED("status", ka_status(tcp, &liveness));
    TRACED("defaults", ka_defaults().enabled);
    TRACED("no_system_calls", ka_options().so_keepalive + (ka_strerror(-1) == NULL) +
                                  (ka_version() == NULL) + ka_detect_within(30).enabled +
                                  ka_get(tcp, NULL));
}

static struct stat identity_of(int fd) {
    struct stat identity;
    if (fstat(fd, &identity) != 0) {
        perror("fstat");
        exit(1);
    }
    return identity;
}

/* Calls fstat before the mark, so that only the library's calls are between the marks. */
#define TRACED_FIND(name, descriptor)                                             \
    do {                                                                          \
        struct stat wanted = identity_of(descriptor);                             \
        int number = descriptor;                                                  \
        TRACED(name, ka_find(wanted.st_dev, wanted.st_ino) == number ? 0 : -1);   \
    } while (0)

/* Looks for these one after the other. Returns how many were not found. */
static int find_each(const struct stat *wanted, const int *fds, int first, int last, int step) {
    int wrong = 0;
    for (int i = first; i != last; i += step) {
        wrong += ka_find(wanted[i].st_dev, wanted[i].st_ino) != fds[i];
    }
    return wrong;
}

/* All of them, each far from the one before: the step and `count` have no common divisor. */
static int find_in_any_order(const struct stat *wanted, const int *fds, int count) {
    int wrong = 0;
    for (int i = 0; i < count; i++) {
        int at = (int)(7919L * i % count);
        wrong += find_each(wanted, fds, at, at + 1, 1);
    }
    return wrong;
}

static int search(int count) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < (rlim_t)count + 16) {
        fprintf(stderr, "the test needs `ulimit -Hn` to be %d or more\n", count + 16);
        return 1;
    }
    int *fds = calloc((size_t)count, sizeof *fds);
    struct stat *wanted = calloc((size_t)count, sizeof *wanted);
    for (int i = 0; i < count; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        wanted[i] = identity_of(fds[i]);
    }
    TRACED_FIND("newest", fds[count - 1]);
    int newer = socket(AF_INET, SOCK_STREAM, 0);
    TRACED_FIND("next_newest", newer);
    TRACED_FIND("again", newer);
    close(newer);
    newer = socket(AF_INET, SOCK_STREAM, 0);
    TRACED_FIND("reopened", newer);
    find_each(wanted, fds, 0, 1, 1);
    TRACED("four_forward", find_each(wanted, fds, 1, 5, 1));
    find_each(wanted, fds, count - 1, count, 1);
    TRACED("four_backward", find_each(wanted, fds, count - 2, count - 6, -1));
    TRACED("four_again", find_each(wanted, fds, count - 2, count - 6, -1));
    find_each(wanted, fds, 0, count, 1);
    TRACED("all_in_any_order", find_in_any_order(wanted, fds, count));
    close(fds[count / 2]);
    int in_the_gap = socket(AF_INET, SOCK_STREAM, 0);
    TRACED_FIND("in_a_gap", in_the_gap);
    TRACED("missing", ka_find(wanted[0].st_dev, 1) == -ENOENT ? 0 : -1);
    return 0;
}

/* From now on, openat(2) fails with EACCES, as under a security policy. */
static int forbid_opening(void) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) | prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static int walk(void) {
    struct rlimit limit;
    TRACED("missing_with_proc", ka_find(0, 1) == -ENOENT ? 0 : -1);
    if (forbid_opening() != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        perror("seccomp or getrlimit");
        return 1;
    }
    printf("limit %llu\n", (unsigned long long)limit.rlim_cur);
    TRACED("missing_without_proc", ka_find(0, 1) == -ENOENT ? 0 : -1);
    return 0;
}

int main(int argc, char **argv) {
    for (int inherited = 3; inherited < 256; inherited++) {
        close(inherited);
    }
    if (argc == 2 && strcmp(argv[1], "calls") == 0) {
        calls();
    } else if (argc == 3 && strcmp(argv[1], "find") == 0) {
        return search(atoi(argv[2]));
    } else if (argc == 2 && strcmp(argv[1], "walk") == 0) {
        return walk();
    } else {
        fputs("usage: traced calls|find COUNT|walk\n", stderr);
        return 2;
    }
    return 0;
}
