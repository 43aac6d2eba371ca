/* Nanoseconds that socket() and connect() to this machine take together: the median of many. The
 * LD_PRELOAD tools do their work in these two calls. */

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 3000 };

static int smaller(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    static long times[CALLS];
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct linger reset = { 1, 0 }; /* no port is kept for the closed connection */
    socklen_t length = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    if (bind(listening, (struct sockaddr *)&address, length) != 0 || listen(listening, 1) != 0
        || getsockname(listening, (struct sockaddr *)&address, &length) != 0)
        return 1;
    for (int i = 0; i < CALLS; i++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
        int failed = connect(fd, (struct sockaddr *)&address, sizeof address);
        clock_gettime(CLOCK_MONOTONIC, &end);
        if (failed || setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) != 0)
            return 1;
        int accepted = accept(listening, NULL, NULL);
        close(fd);
        close(accepted);
        times[i] = (end.tv_sec - start.tv_sec) * 1000000000L + end.tv_nsec - start.tv_nsec;
    }
    qsort(times, CALLS, sizeof *times, smaller);
    printf("%ld\n", times[CALLS / 2]);
    return 0;
}
