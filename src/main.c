/* SPDX-License-Identifier: Apache-2.0 */
/* The program's entry: everything is in app.c. */
#include "app.h"

int
main(int argc, char **argv)
{
	return app_main(argc, argv);
}
