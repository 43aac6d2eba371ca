/* A slow wire: delay MILLISECONDS
 *
 * Carries each frame from the device to-near to the device to-far, and back, MILLISECONDS later.
 * `hosts delay` compiles and starts this program, which goes on in the background. The kernel's
 * netem would do the same, but many kernels are built without it. */

#define _GNU_SOURCE /* ppoll */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct frame {
    struct frame *next;
    long long due; /* nanoseconds */
    int to;        /* index of the device it leaves by */
    size_t length;
    char bytes[];
};

static const char *const devices[] = {"to-near", "to-far"};

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Between virtual devices the kernel neither computes checksums nor cuts large frames. So each frame
 * comes and goes with a header (PACKET_VNET_HDR) that says what is still to be done. */
static int open_device(const char *name)
{
    int on = 1, fd = socket(AF_PACKET, SOCK_RAW, 0);
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
                                  .sll_protocol = htons(ETH_P_ALL),
                                  .sll_ifindex = (int)if_nametoindex(name)};
    if (fd < 0 || address.sll_ifindex == 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        fprintf(stderr, "delay: %s: %s\n", name, strerror(errno));
        exit(1);
    }
    return fd;
}

int main(int argc, char **argv)
{
    static char bytes[128 * 1024];
    struct frame *first = NULL, **last = &first;
    struct pollfd wires[2] = {{.events = POLLIN}, {.events = POLLIN}};
    long long late = argc == 2 ? atoll(argv[1]) * 1000000 : 0;
    if (late <= 0) {
        fprintf(stderr, "delay: how many milliseconds?\n");
        return 2;
    }
    for (int i = 0; i < 2; i++)
        wires[i].fd = open_device(devices[i]);
    if (daemon(0, 0) < 0) /* the wire is ready when the command returns */
        return 1;

    for (;;) {
        long long left = first ? first->due - now() : 0;
        struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
        if (!first || left > 0)
            ppoll(wires, 2, first ? &wait : NULL, NULL);
        for (int from = 0; from < 2; from++) {
            /* An error ends the loop too: an interface may be down for some time. */
            ssize_t length;
            while ((length = recv(wires[from].fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0) {
                struct frame *frame = malloc(sizeof *frame + (size_t)length);
                if (!frame)
                    return 1;
                *frame = (struct frame){.due = now() + late, .to = 1 - from, .length = (size_t)length};
                memcpy(frame->bytes, bytes, frame->length);
                *last = frame;
                last = &frame->next;
            }
        }
        while (first && first->due <= now()) {
            struct frame *frame = first;
            /* If the device does not accept the frame, it is lost, as on any wire. */
            ssize_t sent = send(wires[frame->to].fd, frame->bytes, frame->length, MSG_DONTWAIT);
            (void)sent;
            first = frame->next;
            if (!first)
                last = &first;
            free(frame);
        }
    }
}
