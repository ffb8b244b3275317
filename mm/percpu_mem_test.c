/* SPDX-License-Identifier: BSD-2-Clause */
/* Tests of what percpu/ has of mm/. */
#include "lib/test.h"
#include "mm/slab.h"
#include "percpu/idpool.h"

/* A pool keeps what it made, so it must not be hundreds of objects: that is a leak to a reader. */
TEST(idpool_has_few_objects)
{
	struct idpool *p = idpool_create(0, 32767, 64);
	u64 before = slab_objects(), after;

	ASSERT_TRUE(p != NULL);
	for (u32 id = 0; id <= 32767; id++)
		EXPECT_EQ(idpool_take(p, id), 0);
	after = slab_objects();
	EXPECT_LE(after, before + 32);
	for (u32 id = 0; id <= 32767; id++)
		idpool_free(p, id);
	EXPECT_EQ(idpool_used(p), 0);
	idpool_destroy(p);
}
