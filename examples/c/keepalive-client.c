/* Connects, asks to be told of a dead peer within 30 s, and shows what the kernel has then.
 *
 *     cc -o keepalive-client keepalive-client.c $(pkg-config --cflags --libs keepalive)
 *     ./keepalive-client HOST PORT
 */
#define _POSIX_C_SOURCE 200809L

#include <keepalive.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(const char *host, const char *port) {
    struct addrinfo hints, *list = NULL, *address;
    int fd = -1;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    int error = getaddrinfo(host, port, &hints, &list);
    if (error != 0) {
        fprintf(stderr, "%s: %s\n", host, gai_strerror(error));
        return -1;
    }
    for (address = list; address != NULL && fd < 0; address = address->ai_next) {
        fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
        if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
            perror(host);
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    int fd = connect_to(argv[1], argv[2]);
    if (fd < 0) {
        return 1;
    }

    ka_settings settings = ka_detect_within(30); /* seconds, whatever this program does meanwhile */
    ka_liveness peer;
    int error = ka_apply(fd, &settings);
    if (error == 0) {
        error = ka_get(fd, &settings); /* what the kernel has now */
    }
    if (error == 0) {
        error = ka_status(fd, &peer);
    }
    if (error < 0) {
        fprintf(stderr, "keepalive: %s\n", ka_strerror(error));
        return 1;
    }
    printf("keepalive %s, idle %d s, interval %d s, count %d, user timeout %d ms\n", settings.enabled ? "on" : "off",
           settings.idle, settings.intvl, settings.cnt, settings.user_timeout_ms);
    printf("%s, %d probes unanswered, heard from %d ms ago\n",
           peer.state == KA_STATE_ESTABLISHED ? "established" : "not established", peer.probes, peer.last_received_ms);
    return 0;
}
