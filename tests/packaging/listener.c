/* A program without this library: it listens, and prints the options of its socket. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

static int option(int fd, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    return getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}

int main(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (listen(fd, 1) != 0) {
        perror("listen");
        return 1;
    }
    printf("%d %d/%d/%d\n", option(fd, SOL_SOCKET, SO_KEEPALIVE), option(fd, IPPROTO_TCP, TCP_KEEPIDLE),
           option(fd, IPPROTO_TCP, TCP_KEEPINTVL), option(fd, IPPROTO_TCP, TCP_KEEPCNT));
    return 0;
}
