/* The second file of a program that includes the header in two: see first.c. */
#include <stdio.h>

#include <keepalive.h>

int everything_refuses_minus_one(void);

int everything_refuses_minus_one(void) {
    int wrong = ka_set(-1, KA_DEFAULT, KA_UNCHANGED, 6) >= 0;
    wrong |= ka_disable(-1) >= 0;
    if (wrong) {
        fputs("-1 was taken for a socket\n", stderr);
    }
    return wrong;
}
