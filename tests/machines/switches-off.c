/* Switches keepalive off as phpredis does, and prints whether it is on: with 32 bits through the function that Debian
 * 13's programs call there, whose time has 64 bits. Debian 11's C library has none, but the preload object does. */
#include <stdio.h>
#include <sys/socket.h>

#if __SIZEOF_POINTER__ == 4
extern int __setsockopt64(int, int, int, const void *, socklen_t) __attribute__((weak));
#else
#define __setsockopt64 setsockopt
#endif

int main(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), value = 0;
    socklen_t size = sizeof value;
    if (__setsockopt64(fd, SOL_SOCKET, SO_KEEPALIVE, &value, size) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &value, &size) != 0) {
        perror("setsockopt or getsockopt");
        return 1;
    }
    printf("on %d\n", value);
    return 0;
}
