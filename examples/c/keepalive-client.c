/* Connects, switches TCP keepalive on, and shows what the kernel says before and after.
 *
 *     cc -o keepalive-client keepalive-client.c $(pkg-config --cflags --libs keepalive)
 *     ./keepalive-client HOST PORT [IDLE INTERVAL COUNT]
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
    printf("%s keepalive %s, idle %d s, interval %d s, count %d\n", when,
           now.enabled ? "on" : "off", now.idle, now.intvl, now.cnt);
}

static int number(const char *name, const char *text) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno != 0 || *text == '\0' || *end != '\0' || value < -1 || value > 32767) {
        fprintf(stderr, "%s: '%s' is not a number from -1 (unchanged), 0 (the system's) to 32767\n",
                name, text);
        exit(2);
    }
    return (int)value;
}

int main(int argc, char **argv) {
    ka_settings chosen = {1, 60, 10, 6};
    ka_liveness peer;
    if (argc != 3 && argc != 6) {
        fprintf(stderr, "usage: %s HOST PORT [IDLE INTERVAL COUNT]\n", argv[0]);
        return 2;
    }
    if (argc == 6) {
        chosen.idle = number("IDLE", argv[3]);
        chosen.intvl = number("INTERVAL", argv[4]);
        chosen.cnt = number("COUNT", argv[5]);
    }
    int fd = connect_to(argv[1], argv[2]);
    if (fd < 0) {
        return 1;
    }

    show_settings("before:", fd);
    check("ka_set", ka_set(fd, chosen.idle, chosen.intvl, chosen.cnt));
    check("ka_get", ka_get(fd, &chosen)); /* numbers for what was 0 or -1 */
    int seconds = chosen.idle + chosen.intvl * chosen.cnt;
    /* The same promise while sent data is unacknowledged, when there are no probes. */
    check("ka_set_user_timeout", ka_set_user_timeout(fd, seconds > 2147483 ? 0 : seconds * 1000));
    show_settings("after: ", fd);
    printf("a peer that is gone is noticed within %d s\n", seconds);

    check("ka_status", ka_status(fd, &peer));
    printf("status: %s, %d probes unanswered, %d segments in flight, heard from %d ms ago\n",
           peer.state == KA_STATE_ESTABLISHED ? "established" : "not established", peer.probes,
           peer.unacked, peer.last_received_ms);
    return close(fd) == 0 ? 0 : 1;
}
