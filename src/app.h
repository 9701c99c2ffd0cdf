/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: picks the command, reads what they share. Returns the exit code. */
#pragma once

int app_main(int argc, char **argv);
