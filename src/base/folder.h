/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of the file system. */
#pragma once

#include <stdbool.h>

/* Makes the folder and those above it where they are missing (mode 0750). False with errno set. */
bool folder_make(const char *path);
