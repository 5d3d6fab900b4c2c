/*
 * replay.c - runs a fuzz target over the files of the folders that it is given, once each.
 *
 * Stands in for libFuzzer where the build has none, so that what a fuzzer once found stays tested by
 * every compiler. An empty corpus is a failure: it would test nothing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX_BYTES = 1 << 20
};

static uint8_t input[INPUT_MAX_BYTES];

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return -1;
    }
    size_t size = fread(input, 1, sizeof(input), file);
    (void)fclose(file);

    /* A copy of exactly its size, so that a sanitizer sees a read past its end. */
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) {
        return -1;
    }
    for (size_t i = 0; i < size; i++) {
        copy[i] = input[i];
    }
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return 0;
}

/* Run one entry of a folder. 1, or 0 for what is no input, or -1. */
static int run_entry(const char *folder, const char *name)
{
    char path[4096];
    int len = snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (name[0] == '.' || len < 0 || (size_t)len >= sizeof(path)) {
        return 0;
    }
    return run_file(path) == 0 ? 1 : -1;
}

/* Run all of a folder; how many there were, or -1. */
static int run_folder(const char *folder)
{
    struct dirent **entries = NULL;
    int found = scandir(folder, &entries, NULL, alphasort);
    if (found < 0) {
        perror(folder);
        return -1;
    }
    int count = 0;
    for (int i = 0; i < found; i++) {
        int rc = count < 0 ? 0 : run_entry(folder, entries[i]->d_name);
        count = rc < 0 ? -1 : count + rc;
        free(entries[i]);
    }
    free(entries);
    return count;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int count = run_folder(argv[i]);
        if (count <= 0) {
            (void)fprintf(stderr, "%s: no input was run\n", argv[i]);
            return EXIT_FAILURE;
        }
        (void)printf("%s: %d inputs\n", argv[i], count);
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
