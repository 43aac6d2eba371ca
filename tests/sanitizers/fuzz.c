/* Fuzz target: calls the library in any order, with any values, on any kind of descriptor.
 *
 * The input is read as a list of operations on twelve descriptors. After each one the kernel is
 * asked, with plain getsockopt(2), whether it did what the manual says and nothing else; where it
 * did not, the program aborts. The same operations are also done by other means, as a program's
 * own code would do them. */

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keepalive.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define SLOTS 12
#define MAX_SECONDS 32767
#define MAX_PROBES 127
/* For an option that cannot be read: a value that no socket has. */
#define NONE (-12345)

#define CHECK(condition, ...)                                        \
    do {                                                             \
        if (!(condition)) {                                          \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition); \
            fprintf(stderr, __VA_ARGS__);                            \
            fputc('\n', stderr);                                     \
            abort();                                                 \
        }                                                            \
    } while (0)

/* Everything that the library may change on a socket, as the kernel has it. */
struct options {
    int enabled, idle, intvl, cnt, user_timeout;
};

struct input {
    const uint8_t *next;
    size_t left;
};

static int slots[SLOTS];
static struct options fresh;

static int take_byte(struct input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->next++;
}

/* Any int; values near the limits are more frequent. */
static int take_int(struct input *input)
{
    static const int special[] = {-2, -1, 0, 1, 2, 60, 126, 127, 128, 129, 7200, 32766, 32767, 32768,
                                  32769, 65536, 65596, INT32_MAX, INT32_MIN, INT32_MIN + 1};
    int form = take_byte(input);
    if (form < 128) {
        return special[(size_t)form % (sizeof special / sizeof *special)];
    }
    if (form < 192) {
        return take_byte(input);
    }
    unsigned value = 0;
    for (int byte = 0; byte < 4; byte++) {
        value = value << 8 | (unsigned)take_byte(input);
    }
    return (int)value;
}

static int read_option(int fd, int level, int name)
{
    int value = NONE;
    socklen_t length = sizeof value;
    return getsockopt(fd, level, name, &value, &length) == 0 ? value : NONE;
}

static struct options read_options(int fd)
{
    return (struct options){
        read_option(fd, SOL_SOCKET, SO_KEEPALIVE),
        read_option(fd, IPPROTO_TCP, TCP_KEEPIDLE),
        read_option(fd, IPPROTO_TCP, TCP_KEEPINTVL),
        read_option(fd, IPPROTO_TCP, TCP_KEEPCNT),
        read_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT),
    };
}

static int same(struct options a, struct options b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static int open_kind(int kind)
{
    int pair[2];
    switch (kind % 9) {
    case 0: return socket(AF_INET, SOCK_STREAM, 0);
    case 1: return socket(AF_INET6, SOCK_STREAM, 0);
    case 2: return socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
    case 3: return socket(AF_INET, SOCK_DGRAM, 0);
    case 4: return socket(AF_UNIX, SOCK_STREAM, 0);
    case 5: return socket(AF_NETLINK, SOCK_RAW, 0);
    case 6: return open("/dev/null", O_RDWR);
    case 7: {
        int listener = socket(AF_INET6, SOCK_STREAM, 0);
        if (listener >= 0) {
            listen(listener, 1);
        }
        return listener;
    }
    default:
        if (pipe(pair) != 0) {
            return -1;
        }
        close(pair[1]);
        return pair[0];
    }
}

static int in_range(int value, int max)
{
    return value >= -1 && value <= max;
}

static int meant(int value, int by_default, int before)
{
    return value == KA_DEFAULT ? by_default : value == KA_UNCHANGED ? before : value;
}

static void check_set(int fd, struct input *input)
{
    int idle = take_int(input), intvl = take_int(input), cnt = take_int(input);
    struct options before = read_options(fd);
    int returned = ka_set(fd, idle, intvl, cnt);
    struct options after = read_options(fd), expected = before;
    int valid = in_range(idle, MAX_SECONDS) && in_range(intvl, MAX_SECONDS) && in_range(cnt, MAX_PROBES);
    int is_tcp = before.idle != NONE;
    if (valid && is_tcp) {
        expected.enabled = 1;
        expected.idle = meant(idle, fresh.idle, before.idle);
        expected.intvl = meant(intvl, fresh.intvl, before.intvl);
        expected.cnt = meant(cnt, fresh.cnt, before.cnt);
    }
    CHECK(returned == 0 ? valid && is_tcp : returned == -EINVAL ? !valid : valid && !is_tcp,
          "ka_set(%d, %d, %d, %d) returned %d", fd, idle, intvl, cnt, returned);
    CHECK(same(after, expected), "ka_set(%d, %d, %d, %d): %d %d %d %d", fd, idle, intvl, cnt,
          after.enabled, after.idle, after.intvl, after.cnt);
}

static void check_get(int fd)
{
    struct options kernel = read_options(fd);
    ka_settings settings = {NONE, NONE, NONE, NONE, NONE};
    int returned = ka_get(fd, &settings);
    CHECK((returned == 0) == (kernel.idle != NONE), "ka_get(%d) returned %d", fd, returned);
    if (returned == 0) {
        CHECK(settings.enabled == kernel.enabled && settings.idle == kernel.idle
                  && settings.intvl == kernel.intvl && settings.cnt == kernel.cnt
                  && settings.user_timeout_ms == (kernel.user_timeout == NONE ? -1 : kernel.user_timeout),
              "ka_get(%d): %d %d %d %d, but %d %d %d %d", fd, settings.enabled, settings.idle,
              settings.intvl, settings.cnt, kernel.enabled, kernel.idle, kernel.intvl, kernel.cnt);
    } else {
        CHECK(settings.enabled == NONE && settings.idle == NONE && settings.intvl == NONE
                  && settings.cnt == NONE && settings.user_timeout_ms == NONE, "ka_get(%d) wrote and failed", fd);
    }
    CHECK(ka_get(fd, NULL) == -EFAULT, "ka_get(%d, NULL)", fd);
}

static void check_disable(int fd)
{
    struct options before = read_options(fd);
    int returned = ka_disable(fd);
    struct options after = read_options(fd), expected = before;
    if (before.idle != NONE) {
        expected.enabled = 0;
    }
    CHECK((returned == 0) == (before.idle != NONE), "ka_disable(%d) returned %d", fd, returned);
    CHECK(same(after, expected), "ka_disable(%d)", fd);
}

/* Sockets have only values in range, so other values are refused. */
static void check_apply(int fd, struct input *input)
{
    ka_settings settings = {take_int(input), take_int(input), take_int(input), take_int(input),
                            take_int(input)};
    struct options before = read_options(fd);
    int returned = ka_apply(fd, &settings);
    struct options after = read_options(fd), expected = before;
    int valid = in_range(settings.enabled, 1) && in_range(settings.idle, MAX_SECONDS)
                && in_range(settings.intvl, MAX_SECONDS) && in_range(settings.cnt, MAX_PROBES)
                && in_range(settings.user_timeout_ms, INT32_MAX);
    int has_options = before.idle != NONE
                      && (settings.user_timeout_ms == KA_UNCHANGED || before.user_timeout != NONE);
    if (valid && has_options) {
        expected.enabled = settings.enabled == KA_UNCHANGED ? before.enabled : settings.enabled;
        expected.idle = meant(settings.idle, fresh.idle, before.idle);
        expected.intvl = meant(settings.intvl, fresh.intvl, before.intvl);
        expected.cnt = meant(settings.cnt, fresh.cnt, before.cnt);
        expected.user_timeout = settings.user_timeout_ms == KA_UNCHANGED ? before.user_timeout
                                                                          : settings.user_timeout_ms;
    }
    CHECK(returned == 0 ? valid && has_options : returned == -EINVAL ? !valid : !valid || !has_options,
          "ka_apply(%d, {%d, %d, %d, %d, %d}) returned %d", fd, settings.enabled, settings.idle,
          settings.intvl, settings.cnt, settings.user_timeout_ms, returned);
    CHECK(same(after, expected), "ka_apply(%d, {%d, %d, %d, %d, %d})", fd, settings.enabled,
          settings.idle, settings.intvl, settings.cnt, settings.user_timeout_ms);
    CHECK(ka_apply(fd, NULL) == -EFAULT && same(read_options(fd), expected), "ka_apply(%d, NULL)", fd);
}

/* What was read is put back, after any other settings. */
static void check_put_back(int fd, struct input *input)
{
    struct options before = read_options(fd);
    ka_settings settings;
    if (ka_get(fd, &settings) == 0) {
        check_apply(fd, input);
        CHECK(ka_apply(fd, &settings) == 0, "put back on %d", fd);
        CHECK(same(read_options(fd), before), "put back on %d", fd);
    }
}

static void check_detect_within(int fd, int seconds)
{
    ka_settings settings = ka_detect_within(seconds);
    int valid = seconds >= 6 && seconds <= 14400;
    CHECK(settings.enabled == (valid ? 1 : -EINVAL), "ka_detect_within(%d)", seconds);
    struct options before = read_options(fd);
    if (valid && before.user_timeout != NONE) {
        struct options expected = {1, settings.idle, settings.intvl, settings.cnt,
                                   settings.user_timeout_ms};
        CHECK(ka_apply(fd, &settings) == 0, "ka_detect_within(%d) on %d", seconds, fd);
        CHECK(same(read_options(fd), expected), "ka_detect_within(%d) on %d", seconds, fd);
    } else {
        CHECK(ka_apply(fd, &settings) < 0, "ka_detect_within(%d) on %d", seconds, fd);
        CHECK(same(read_options(fd), before), "ka_detect_within(%d) on %d", seconds, fd);
    }
}

static void check_status(int fd)
{
    ka_liveness liveness;
    int returned = ka_status(fd, &liveness);
    CHECK((returned == 0) == (read_option(fd, IPPROTO_TCP, TCP_NODELAY) != NONE),
          "ka_status(%d) returned %d", fd, returned);
    if (returned == 0) {
        CHECK(liveness.state >= KA_STATE_ESTABLISHED && liveness.probes >= 0 && liveness.unacked >= 0,
              "ka_status(%d)", fd);
    }
    CHECK(ka_status(fd, NULL) == -EFAULT, "ka_status(%d, NULL)", fd);
}

static void check_find(int fd)
{
    struct stat wanted, found;
    if (fstat(fd, &wanted) != 0) {
        return;
    }
    int returned = ka_find(wanted.st_dev, wanted.st_ino);
    CHECK(returned >= 0 && fstat(returned, &found) == 0 && found.st_dev == wanted.st_dev
              && found.st_ino == wanted.st_ino, "ka_find for %d returned %d", fd, returned);
}

static int count_tcp(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++) {
        count += read_option(fd, IPPROTO_TCP, TCP_NODELAY) != NONE;
    }
    return count;
}

static void check_sockets(size_t capacity)
{
    /* Exactly this much, so that AddressSanitizer sees one byte more. */
    ka_socket *sockets = capacity == 0 ? NULL : malloc(capacity * sizeof *sockets);
    int count = ka_sockets(sockets, capacity);
    CHECK(count == count_tcp(), "ka_sockets returned %d of %d", count, count_tcp());
    for (size_t i = 0; i < capacity && i < (size_t)count; i++) {
        CHECK(read_option(sockets[i].fd, IPPROTO_TCP, TCP_NODELAY) != NONE, "no TCP: %d", sockets[i].fd);
        CHECK(memchr(sockets[i].local, 0, sizeof sockets[i].local)
                  && memchr(sockets[i].remote, 0, sizeof sockets[i].remote), "unterminated");
    }
    free(sockets);
}

static void check_defaults(void)
{
    ka_settings settings = ka_defaults();
    CHECK(settings.enabled == fresh.enabled && settings.idle == fresh.idle
              && settings.intvl == fresh.intvl && settings.cnt == fresh.cnt
              && settings.user_timeout_ms == fresh.user_timeout, "ka_defaults");
}

/* What other code of the program does meanwhile. In range, because MPTCP sockets without a
 * connection take any value and give it back. */
static void set_plainly(int fd, int which, int value)
{
    value &= MAX_PROBES;
    static const int names[] = {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT};
    if (which % 5 == 4) {
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value);
    } else {
        setsockopt(fd, IPPROTO_TCP, names[which % 5], &value, sizeof value);
    }
}

static void operate(int operation, struct input *input)
{
    int slot = take_byte(input);
    /* Mostly a descriptor of ours, sometimes any number at all. */
    int *ours = &slots[slot % SLOTS];
    int fd = slot < 240 ? *ours : take_int(input);
    switch (operation % 15) {
    case 0:
        close(*ours);
        *ours = open_kind(take_byte(input));
        break;
    case 1:
        close(*ours);
        *ours = dup(slots[take_byte(input) % SLOTS]);
        break;
    case 2: close(*ours); *ours = -1; break;
    case 3: case 4: check_set(fd, input); break;
    case 5: check_get(fd); break;
    case 6: check_disable(fd); break;
    case 7: check_apply(fd, input); break;
    case 8: check_status(fd); break;
    case 9: check_find(fd); break;
    case 10: check_sockets((size_t)take_byte(input) % (SLOTS + 2)); break;
    case 11: set_plainly(fd, take_byte(input), take_int(input)); break;
    case 12:
        check_defaults();
        CHECK(ka_strerror(take_int(input))[0] != 0, "ka_strerror");
        ka_find((uint64_t)take_int(input), (uint64_t)take_int(input) * 65537);
        break;
    case 13: check_put_back(fd, input); break;
    case 14: check_detect_within(fd, take_int(input)); break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int scratch = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(scratch >= 0, "socket: %s", strerror(errno));
    fresh = read_options(scratch);
    close(scratch);
    for (int i = 0; i < SLOTS; i++) {
        slots[i] = open_kind(i);
    }
    struct input input = {data, size};
    while (input.left > 0) {
        operate(take_byte(&input), &input);
    }
    for (int i = 0; i < SLOTS; i++) {
        close(slots[i]);
    }
    return 0;
}
