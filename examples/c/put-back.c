/* Reads what a socket has, changes one value of it, and later puts back what was there before.
 *
 *     cc -o put-back put-back.c $(pkg-config --cflags --libs keepalive)
 */
#include <keepalive.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Ends the program when a function of libkeepalive failed. */
static void check(const char *what, int returned) {
    if (returned < 0) {
        fprintf(stderr, "%s: %s\n", what, ka_strerror(returned));
        exit(1);
    }
}

static void show(const char *when, int fd) {
    ka_settings now;
    check("ka_get", ka_get(fd, &now));
    printf("%s keepalive %s, idle %d s, interval %d s, count %d, user timeout %d ms\n", when,
           now.enabled ? "on" : "off", now.idle, now.intvl, now.cnt, now.user_timeout_ms);
}

int main(void) {
    /* A socket that some other part of the program has set. */
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    check("ka_set", ka_set(fd, 60, 10, 6));
    show("before: ", fd);

    ka_settings before;
    check("ka_get", ka_get(fd, &before));
    ka_settings settings = before;
    settings.idle = 30;
    check("ka_apply", ka_apply(fd, &settings));
    show("changed:", fd);

    check("ka_apply", ka_apply(fd, &before));
    show("after:  ", fd);
    return close(fd) == 0 ? 0 : 1;
}
