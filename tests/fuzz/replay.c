/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over the files of a folder, for builds without libFuzzer: the kept corpus is a
 * regression test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
run_file(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *data = NULL;
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "rb");
	if (file == NULL)
		return 0;
	for (size_t n = 1; n > 0; size += n) {
		data = realloc(data, size + 65536);
		if (data == NULL)
			abort();
		n = fread(data + size, 1, 65536, file);
	}
	fclose(file);
	/* A buffer of exactly that size, so that a read past the end is seen. */
	uint8_t *exact = malloc(size > 0 ? size : 1);
	if (exact == NULL)
		abort();
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	free(data);
	return 1;
}

int
main(int argc, char **argv)
{
	int files = 0;
	DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;

	if (folder == NULL) {
		fprintf(stderr, "usage: %s CORPUS_FOLDER (must exist)\n", argv[0]);
		return 2;
	}
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (entry->d_name[0] != '.')
			files += run_file(argv[1], entry->d_name);
	closedir(folder);
	printf("%d files replayed\n", files);
	return files > 0 ? 0 : 1;
}
