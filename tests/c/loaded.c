/* Loads the library as PHP's FFI does, closes it as FFI does, and checks that it stays loaded.
 *
 *     loaded LIBRARY FUNCTION...    prints the version; 1 when a function is missing */
#define _POSIX_C_SOURCE 200809L

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    const char *(*version)(void);
    void *library = argc > 1 ? dlopen(argv[1], RTLD_LAZY | RTLD_LOCAL) : NULL;
    if (library == NULL) {
        fprintf(stderr, "%s\n", argc > 1 ? dlerror() : "usage: loaded LIBRARY FUNCTION...");
        return 1;
    }
    for (int i = 2; i < argc; i++) {
        if (dlsym(library, argv[i]) == NULL) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
    }
    void *address = dlsym(library, "ka_version");
    memcpy(&version, &address, sizeof version);
    dlclose(library);
    if (dlopen(argv[1], RTLD_LAZY | RTLD_NOLOAD) == NULL) {
        fputs("the library is gone after dlclose()\n", stderr);
        return 1;
    }
    puts(version());
    return 0;
}
