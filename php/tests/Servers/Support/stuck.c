/* Waits for data, without keepalive: stuck-in-c ADDRESS PORT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(int count, char **arguments) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char byte;

    if (count != 3 || inet_pton(AF_INET, arguments[1], &address.sin_addr) != 1)
        return 2;
    address.sin_port = htons((unsigned short)atoi(arguments[2]));
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        return 1;
    puts("waiting");
    fflush(stdout);
    puts(recv(fd, &byte, 1, 0) < 0 ? strerror(errno) : "answered");
    return 0;
}
