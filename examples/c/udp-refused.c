/* UDP has no keepalive, and libkeepalive says so; setsockopt(2) alone claims success.
 *
 *     cc -o udp-refused udp-refused.c $(pkg-config --cflags --libs keepalive)
 */
#include <keepalive.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void show(const char *when, int fd) {
    int enabled = -1;
    socklen_t size = sizeof enabled;
    getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &enabled, &size);
    printf("%-7s SO_KEEPALIVE is %d\n", when, enabled);
}

int main(void) {
    int on = 1;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0) {
        perror("opening a UDP socket");
        return 1;
    }
    show("before:", fd);
    int error = ka_set(fd, 60, 10, 6);
    if (error == 0) {
        fputs("keepalive was set on a UDP socket, which cannot be\n", stderr);
        return 1;
    }
    printf("ka_set() refuses: %s\n", ka_strerror(error));
    show("after:", fd);

    int claimed = setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    printf("setsockopt() says %d, and nothing will ever come of it:\n", claimed);
    show("after:", fd);
    return close(fd);
}
