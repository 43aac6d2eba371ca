/* The near host's program in C: near ADDRESS PORT IDLE INTVL CNT USER_TIMEOUT_MS
 *
 * Connects, reads the greeting, applies these settings through the C ABI and says "ready". A line on its
 * input makes it send a byte. It waits for the end with poll and recv, as servers do, and prints
 * recv's errno and poll's events. */

#define _GNU_SOURCE /* POLLRDHUP */
#include <errno.h>
#include <keepalive.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(const char *address, const char *port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found;
    if (getaddrinfo(address, port, &hints, &found) != 0)
        return -1;
    int fd = socket(found->ai_family, SOCK_STREAM, 0);
    int connected = connect(fd, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return connected == 0 ? fd : -1;
}

static int give_up(const char *what, int error)
{
    fprintf(stderr, "near: %s: %s\n", what, ka_strerror(error));
    return 1;
}

int main(int argc, char **argv)
{
    char buffer[64];
    if (argc != 7)
        return give_up("arguments", -EINVAL);
    int fd = connect_to(argv[1], argv[2]);
    if (fd < 0 || recv(fd, buffer, sizeof buffer, 0) <= 0)
        return give_up("connecting", -errno);

    ka_settings settings = {1, atoi(argv[3]), atoi(argv[4]), atoi(argv[5]), atoi(argv[6])};
    int error = ka_apply(fd, &settings);
    if (error < 0)
        return give_up("setting keepalive", error);

    puts("ready");
    fflush(stdout);
    struct pollfd wait[] = {{.fd = fd, .events = POLLIN | POLLRDHUP}, {.fd = 0, .events = POLLIN}};
    while (poll(wait, 2, -1) > 0 && !wait[0].revents) {
        if (read(0, buffer, sizeof buffer) <= 0 || send(fd, "x", 1, 0) != 1)
            return give_up("sending", -errno);
    }
    short events = wait[0].revents;
    ssize_t received = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
    printf("%d%s%s%s%s\n", received < 0 ? errno : 0, events & POLLIN ? " IN" : "",
           events & POLLERR ? " ERR" : "", events & POLLHUP ? " HUP" : "",
           events & POLLRDHUP ? " RDHUP" : "");
    close(fd);
    return 0;
}
