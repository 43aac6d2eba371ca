/* Runs the fuzz target on random inputs, for machines and tools that libFuzzer does not fit:
 * random [how many] [seed]. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Marsaglia's xorshift64. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

int main(int argc, char **argv)
{
    long runs = argc > 1 ? atol(argv[1]) : 1000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1, state = seed * 2 + 1;
    static uint8_t data[512];
    for (long run = 0; run < runs; run++) {
        for (size_t i = 0; i < sizeof data; i++) {
            data[i] = (uint8_t)(next(&state) >> 32);
        }
        LLVMFuzzerTestOneInput(data, next(&state) % sizeof data);
    }
    printf("%ld random inputs, seed %llu: the kernel agrees with the manual\n", runs, (unsigned long long)seed);
    return 0;
}
