/* SPDX-License-Identifier: Apache-2.0 */
/* The class table. Bytes beyond ASCII are of no class. */
#include "parser/scan.h"

#define W  BYTE_WORD
#define V  BYTE_VALUE
#define WN (BYTE_WORD | BYTE_NAME)
#define WV (BYTE_WORD | BYTE_VALUE)
#define A  (BYTE_WORD | BYTE_NAME | BYTE_VALUE)

/* clang-format off */
const unsigned char byte_classes[256] = {
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
	V, V, V, V, V, V, V, V, V, V, V, V, V, V, V, V,
	V, A, W, A, A, A, A, A, A, A, A, A, A, A, A, A,   /* blank and " */
	A, A, A, A, A, A, A, A, A, A, A, A, A, WV, A, A,  /* = */
	A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
	A, A, A, A, A, A, A, A, A, A, A, A, WN, W, A, A,  /* \ and ] */
	A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, A,
	A, A, A, A, A, A, A, A, A, A, A, A, A, A, A, V,   /* DEL */
};
/* clang-format on */
