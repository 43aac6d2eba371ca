/* The header as it reaches a compiler: included before all else, twice, and from second.c too.
 *
 * Compiled as C and as C++ by tests/c/header.bats. A struct whose size or offsets change, or a function whose
 * type changes, does not compile here: that is a new major version. */
#include <keepalive.h>
#include <keepalive.h>

#include <stdio.h>

#define ASSERT_AT_COMPILE_TIME(name, condition) typedef char name[(condition) ? 1 : -1]

ASSERT_AT_COMPILE_TIME(settings_size, sizeof(ka_settings) == 20);
ASSERT_AT_COMPILE_TIME(settings_idle, offsetof(ka_settings, idle) == 4);
ASSERT_AT_COMPILE_TIME(settings_intvl, offsetof(ka_settings, intvl) == 8);
ASSERT_AT_COMPILE_TIME(settings_cnt, offsetof(ka_settings, cnt) == 12);
ASSERT_AT_COMPILE_TIME(settings_timeout, offsetof(ka_settings, user_timeout_ms) == 16);
ASSERT_AT_COMPILE_TIME(liveness_size, sizeof(ka_liveness) == 24);
ASSERT_AT_COMPILE_TIME(liveness_state, offsetof(ka_liveness, state) == 0);
ASSERT_AT_COMPILE_TIME(liveness_probes, offsetof(ka_liveness, probes) == 4);
ASSERT_AT_COMPILE_TIME(liveness_unacked, offsetof(ka_liveness, unacked) == 8);
ASSERT_AT_COMPILE_TIME(liveness_received, offsetof(ka_liveness, last_received_ms) == 12);
ASSERT_AT_COMPILE_TIME(liveness_sent, offsetof(ka_liveness, last_sent_ms) == 16);
ASSERT_AT_COMPILE_TIME(liveness_rtt, offsetof(ka_liveness, rtt_us) == 20);
ASSERT_AT_COMPILE_TIME(socket_size, sizeof(ka_socket) == 136);
ASSERT_AT_COMPILE_TIME(socket_state, offsetof(ka_socket, state) == 4);
ASSERT_AT_COMPILE_TIME(socket_local, offsetof(ka_socket, local) == 8);
ASSERT_AT_COMPILE_TIME(socket_remote, offsetof(ka_socket, remote) == 72);
ASSERT_AT_COMPILE_TIME(options_size, sizeof(ka_option_numbers) == 28);
ASSERT_AT_COMPILE_TIME(options_keepalive, offsetof(ka_option_numbers, so_keepalive) == 4);
ASSERT_AT_COMPILE_TIME(options_tcp, offsetof(ka_option_numbers, ipproto_tcp) == 8);
ASSERT_AT_COMPILE_TIME(options_idle, offsetof(ka_option_numbers, tcp_keepidle) == 12);
ASSERT_AT_COMPILE_TIME(options_intvl, offsetof(ka_option_numbers, tcp_keepintvl) == 16);
ASSERT_AT_COMPILE_TIME(options_cnt, offsetof(ka_option_numbers, tcp_keepcnt) == 20);
ASSERT_AT_COMPILE_TIME(options_timeout, offsetof(ka_option_numbers, tcp_user_timeout) == 24);
ASSERT_AT_COMPILE_TIME(constants, KA_DEFAULT == 0 && KA_UNCHANGED == -1);
ASSERT_AT_COMPILE_TIME(states, KA_STATE_ESTABLISHED == 1 && KA_STATE_SYN_SENT == 2 &&
                                   KA_STATE_SYN_RECV == 3 && KA_STATE_FIN_WAIT1 == 4 &&
                                   KA_STATE_FIN_WAIT2 == 5 && KA_STATE_TIME_WAIT == 6 &&
                                   KA_STATE_CLOSE == 7 && KA_STATE_CLOSE_WAIT == 8 &&
                                   KA_STATE_LAST_ACK == 9 && KA_STATE_LISTEN == 10 &&
                                   KA_STATE_CLOSING == 11);

/* In second.c. */
int everything_refuses_minus_one(void);

int main(void) {
    int (*set)(int, int, int, int) = ka_set;
    int (*apply)(int, const struct ka_settings *) = ka_apply;
    struct ka_settings (*detect_within)(int) = ka_detect_within;
    struct ka_settings (*defaults)(void) = ka_defaults;
    int (*get)(int, struct ka_settings *) = ka_get;
    int (*disable)(int) = ka_disable;
    int (*status)(int, struct ka_liveness *) = ka_status;
    int (*find)(uint64_t, uint64_t) = ka_find;
    int (*sockets)(struct ka_socket *, size_t) = ka_sockets;
    struct ka_option_numbers (*options)(void) = ka_options;
    const char *(*describe)(int) = ka_strerror;
    const char *(*version)(void) = ka_version;
    ka_settings settings = detect_within(30);
    ka_liveness liveness;

    int refused = set(-1, 60, 10, 6) == get(-1, &settings) && disable(-1) == status(-1, &liveness) &&
                  apply(-1, &settings) == apply(-1, &settings) && find(0, 0) < 0;
    if (!refused || defaults().idle <= 0 || sockets(NULL, 0) != 0 || options().tcp_keepidle <= 0 ||
        describe(0) == NULL || version() == NULL) {
        fputs("a function does not answer as it should\n", stderr);
        return 1;
    }
    return everything_refuses_minus_one();
}
