/* Connects, asks to be told of a dead peer in time, and shows what the kernel says before and after.
 *
 *     cc -o keepalive-client keepalive-client.c $(pkg-config --cflags --libs keepalive)
 *     ./keepalive-client HOST PORT [SECONDS]
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <keepalive.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The first address of the host that answers, or -1 after having said why there is none. */
static int connect_to(const char *host, const char *port) {
    struct addrinfo hints, *addresses, *address;
    int fd = -1;
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    int error = getaddrinfo(host, port, &hints, &addresses);
    if (error != 0) {
        fprintf(stderr, "looking up %s port %s: %s\n", host, port, gai_strerror(error));
        return -1;
    }
    for (address = addresses; address != NULL && fd < 0; address = address->ai_next) {
        fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
        if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
            break;
        }
        fprintf(stderr, "connecting to %s port %s: %s\n", host, port, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        fd = -1;
    }
    freeaddrinfo(addresses);
    return fd;
}

/* Ends the program when a function of libkeepalive failed. */
static void check(const char *what, int returned) {
    if (returned < 0) {
        fprintf(stderr, "%s: %s\n", what, ka_strerror(returned));
        exit(1);
    }
}

static void show_settings(const char *when, int fd) {
    ka_settings now;
    check("ka_get", ka_get(fd, &now));
    printf("%s keepalive %s, idle %d s, interval %d s, count %d, user timeout %d ms\n", when,
           now.enabled ? "on" : "off", now.idle, now.intvl, now.cnt, now.user_timeout_ms);
}

int main(int argc, char **argv) {
    ka_liveness peer;
    if (argc != 3 && argc != 4) {
        fprintf(stderr, "usage: %s HOST PORT [SECONDS]\n", argv[0]);
        return 2;
    }
    int seconds = argc == 4 ? atoi(argv[3]) : 30;
    int fd = connect_to(argv[1], argv[2]);
    if (fd < 0) {
        return 1;
    }

    show_settings("before:", fd);
    ka_settings settings = ka_detect_within(seconds);
    check("ka_detect_within: 6 to 14400 seconds", settings.enabled);
    check("ka_apply", ka_apply(fd, &settings));
    show_settings("after: ", fd);
    printf("this program is told of a dead peer within %d s\n", seconds);

    check("ka_status", ka_status(fd, &peer));
    printf("status: %s, %d probes unanswered, %d segments in flight, heard from %d ms ago\n",
           peer.state == KA_STATE_ESTABLISHED ? "established" : "not established", peer.probes,
           peer.unacked, peer.last_received_ms);
    return close(fd) == 0 ? 0 : 1;
}
