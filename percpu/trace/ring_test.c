/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings on their own: what is written is read, what is written over is missed and counted. */
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/test.h"
#include "percpu/pin.h"
#include "percpu/trace/trace.h"

#define PAGES 3
#define TEXT_AT (sizeof(struct trace_common) + 4)

static union {
	struct trace_record rec;
	u8 bytes[TRACE_RECORD_MAX];
} got;

/* Writes `n` texts of different lengths into r, numbered from `first`. Pinned by itself. */
static void
write_some(struct trace_ring *r, unsigned int first, unsigned int n)
{
	char text[128];

	pin();
	for (unsigned int i = first; i < first + n; i++) {
		struct trace_ring *old = trace_ring_set(cpu_id(), r);

		scnprintf(text, sizeof(text), "%u %.*s", i, (int)(i % 90),
			  "----------------------------------------"
			  "--------------------------------------------------");
		trace_record_print(text);
		trace_ring_set(cpu_id(), old);
	}
	unpin();
}

static bool
is_text(unsigned int i)
{
	const char *text = (const char *)&got.rec.common + TEXT_AT;
	char want[128];

	scnprintf(want, sizeof(want), "%u %.*s", i, (int)(i % 90),
		  "----------------------------------------"
		  "--------------------------------------------------");
	return got.rec.common.type == TRACE_print && strcmp(text, want) == 0;
}

TEST(trace_ring_in_order)
{
	struct trace_ring *r = trace_ring_alloc(PAGES);
	u64 pos = 0, end, time = 0;

	ASSERT_TRUE(r != NULL);
	EXPECT(!trace_ring_read(r, &pos, U64_MAX, &got.rec));
	write_some(r, 0, 40);
	end = trace_ring_end(r);
	for (u32 i = 0; i < 40; i++) {
		ASSERT_TRUE(trace_ring_read(r, &pos, U64_MAX, &got.rec));
		EXPECT_EQ(got.rec.index, i);
		EXPECT(is_text(i));
		EXPECT(got.rec.time >= time);
		time = got.rec.time;
	}
	EXPECT_EQ(pos, end);
	EXPECT(!trace_ring_read(r, &pos, U64_MAX, &got.rec));
	trace_ring_free(r);
}

TEST(trace_ring_overtaken)
{
	struct trace_ring *r = trace_ring_alloc(PAGES);
	struct trace_ring_stats st;
	u64 pos = 0;
	u32 next = 0;

	ASSERT_TRUE(r != NULL);
	write_some(r, 0, 10);
	for (u32 i = 0; i < 5; i++)
		EXPECT(trace_ring_read(r, &pos, U64_MAX, &got.rec));
	/* Round and round: the reader goes on at the oldest that is left. */
	write_some(r, 10, 2000);
	trace_ring_stats(r, &st);
	EXPECT_EQ(st.written, 2010);
	EXPECT(trace_ring_read(r, &pos, U64_MAX, &got.rec));
	next = got.rec.index;
	EXPECT_EQ(st.overrun, next);
	EXPECT(next > 1900 && next < 2000);
	for (; next < 2010; next++) {
		EXPECT_EQ(got.rec.index, next);
		EXPECT(is_text(next));
		EXPECT(trace_ring_read(r, &pos, U64_MAX, &got.rec) == (next < 2009));
	}
	trace_ring_empty(r);
	trace_ring_stats(r, &st);
	EXPECT_EQ(st.taken, 2010);
	EXPECT_EQ(st.overrun, 0);
	EXPECT_EQ(st.bytes, 0);
	trace_ring_free(r);
}

/* An end in the past stops the reader there. */
TEST(trace_ring_until)
{
	struct trace_ring *r = trace_ring_alloc(PAGES);
	u64 pos = 0, end;
	u32 n = 0;

	ASSERT_TRUE(r != NULL);
	write_some(r, 0, 20);
	end = trace_ring_end(r);
	write_some(r, 20, 20);
	while (trace_ring_read(r, &pos, end, &got.rec))
		n++;
	EXPECT_EQ(n, 20);
	trace_ring_take(r, pos, got.rec.index + 1);
	EXPECT_EQ(trace_ring_start(r), end);
	EXPECT_EQ(trace_ring_start_index(r), 20);
	trace_ring_free(r);
}
