<?php

declare(strict_types=1);

namespace Keepalive\Internal;

/**
 * What keepalive-ffi.h says. Generated from src/abi.rs by `make headers`; do not edit.
 *
 * @internal
 */
final class Declarations
{
    public const C = <<<'C'

#define KA_DEFAULT 0

#define KA_UNCHANGED -1

#define KA_STATE_ESTABLISHED 1

#define KA_STATE_SYN_SENT 2

#define KA_STATE_SYN_RECV 3

#define KA_STATE_FIN_WAIT1 4

#define KA_STATE_FIN_WAIT2 5

#define KA_STATE_TIME_WAIT 6

#define KA_STATE_CLOSE 7

#define KA_STATE_CLOSE_WAIT 8

#define KA_STATE_LAST_ACK 9

#define KA_STATE_LISTEN 10

#define KA_STATE_CLOSING 11

typedef struct ka_settings {
    int enabled;
    int idle;
    int intvl;
    int cnt;
} ka_settings;

typedef struct ka_liveness {
    int state;
    int probes;
    int unacked;
    int last_received_ms;
    int last_sent_ms;
    int rtt_us;
} ka_liveness;

typedef struct ka_socket {
    int fd;
    int state;
    char local[64];
    char remote[64];
} ka_socket;

typedef struct ka_option_numbers {
    int sol_socket;
    int so_keepalive;
    int ipproto_tcp;
    int tcp_keepidle;
    int tcp_keepintvl;
    int tcp_keepcnt;
    int tcp_user_timeout;
} ka_option_numbers;

int ka_set(int fd, int idle, int intvl, int cnt);

struct ka_settings ka_defaults(void);

int ka_get(int fd, struct ka_settings *settings);

int ka_disable(int fd);

int ka_set_user_timeout(int fd, int timeout_ms);

int ka_get_user_timeout(int fd);

int ka_status(int fd, struct ka_liveness *liveness);

int ka_find(uint64_t dev, uint64_t ino);

int ka_sockets(struct ka_socket *sockets, size_t capacity);

struct ka_option_numbers ka_options(void);

const char *ka_strerror(int error);

const char *ka_version(void);

C;
}
