/* Reads what a socket has, changes one value of it, and later puts back what was there before.
 *
 *     cc -o put-back put-back.c $(pkg-config --cflags --libs keepalive)
 */
#include <keepalive.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Ends the program when a function of libkeepalive failed. */
static void check(int returned) {
    if (returned < 0) {
        fprintf(stderr, "%s\n", ka_strerror(returned));
        exit(1);
    }
}

int main(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ka_settings before, changed, after;

    check(ka_get(fd, &before));
    changed = before;
    changed.idle = 30;
    check(ka_apply(fd, &changed));
    check(ka_get(fd, &changed));

    check(ka_apply(fd, &before));
    check(ka_get(fd, &after));

    printf("idle before %d s, changed %d s, after %d s\n", before.idle, changed.idle, after.idle);
    return 0;
}
