/* A deliberate mistake, to see that a tool which looks for such mistakes is on: ka_sockets() is
 * told of room for two sockets where there is room for one, so the library's own code writes past
 * the end of the array. */

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "keepalive.h"

int main(void)
{
    socket(AF_INET, SOCK_STREAM, 0);
    socket(AF_INET, SOCK_STREAM, 0);
    ka_socket *one = malloc(sizeof *one);
    printf("%d sockets, and nobody has noticed\n", ka_sockets(one, 2));
    free(one);
    return 0;
}
