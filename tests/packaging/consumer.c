/* A program as users write them, in C and in C++: sets a socket through an installed libkeepalive
 * and asks the kernel, not the library, for the result. Prints the version of the library. */
#include <keepalive.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}

int main(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int error = ka_set(fd, 61, 11, 7);
    if (error != 0) {
        fprintf(stderr, "ka_set: %s\n", ka_strerror(error));
        return 1;
    }
    if (option(fd, SOL_SOCKET, SO_KEEPALIVE) != 1 || option(fd, IPPROTO_TCP, TCP_KEEPIDLE) != 61 ||
        option(fd, IPPROTO_TCP, TCP_KEEPINTVL) != 11 || option(fd, IPPROTO_TCP, TCP_KEEPCNT) != 7) {
        fputs("the kernel has other values than ka_set() was given\n", stderr);
        return 1;
    }
    printf("%d.%d.%d %s\n", KA_VERSION_MAJOR, KA_VERSION_MINOR, KA_VERSION_PATCH, ka_version());
    return close(fd);
}
