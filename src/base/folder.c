/* SPDX-License-Identifier: Apache-2.0 */
#include "base/folder.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"

bool
folder_make(const char *path)
{
	assert(*path != '\0');
	char *copy = xstrdup(path);
	struct stat st;

	for (char *slash = copy; (slash = strchr(slash + 1, '/')) != NULL;) {
		*slash = '\0';
		mkdir(copy, 0750); /* the last one tells what is wrong */
		*slash = '/';
	}
	bool ok = mkdir(copy, 0750) == 0 || (errno == EEXIST && stat(copy, &st) == 0);
	if (ok && stat(copy, &st) == 0 && !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		ok = false;
	}
	free(copy);
	return ok;
}
