/* UDP has no keepalive, and libkeepalive says so; setsockopt(2) alone claims success.
 *
 *     cc -o udp-refused udp-refused.c $(pkg-config --cflags --libs keepalive)
 */
#include <keepalive.h>
#include <stdio.h>
#include <sys/socket.h>

static int enabled(int fd) {
    int value = -1;
    socklen_t size = sizeof value;
    getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size);
    return value;
}

int main(void) {
    int on = 1;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    printf("ka_set(): %s\n", ka_strerror(ka_set(fd, 60, 10, 6)));
    printf("SO_KEEPALIVE is %d\n", enabled(fd));

    printf("setsockopt(): %d, and no probe will ever be sent\n",
           setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on));
    printf("SO_KEEPALIVE is %d\n", enabled(fd));
    return 0;
}
