/* Nanoseconds for opening and closing a TCP socket, where LD_PRELOAD tools do their work: the
 * median of many. */

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 5000 };

static int smaller(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    static long times[CALLS];
    for (int i = 0; i < CALLS; i++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        close(socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
        clock_gettime(CLOCK_MONOTONIC, &end);
        times[i] = (end.tv_sec - start.tv_sec) * 1000000000L + end.tv_nsec - start.tv_nsec;
    }
    qsort(times, CALLS, sizeof *times, smaller);
    printf("%ld\n", times[CALLS / 2]);
    return 0;
}
