/* SPDX-License-Identifier: BSD-2-Clause */
/* io_uring by raw system calls, for the programs of tests/abi/. */
#ifndef TESTS_ABI_URING_H
#define TESTS_ABI_URING_H

#include "tests/abi/abi.h"

#include <linux/io_uring.h>
#include <sys/syscall.h>

/* struct io_uring_cqe without what may follow. */
struct cqe {
	uint64_t user_data;
	int res;
	unsigned flags;
};

struct ring {
	int fd;
	struct io_uring_params p;
	char *shared;
	size_t size;
	char *sqes;
	unsigned sqe_size, cqe_size;
	unsigned *sq_head, *sq_tail, *sq_mask, *sq_flags, *sq_dropped, *sq_array;
	unsigned *cq_head, *cq_tail, *cq_mask, *cq_flags, *cq_overflow;
	char *cqes;
	/* entries that are not submitted yet */
	unsigned pending;
};

ABI_FN int
ring_setup(unsigned entries, struct io_uring_params *p)
{
	return syscall(__NR_io_uring_setup, entries, p);
}

ABI_FN int
ring_enter(int fd, unsigned submit, unsigned want, unsigned flags, void *arg, size_t size)
{
	return syscall(__NR_io_uring_enter, fd, submit, want, flags, arg, size);
}

ABI_FN int
ring_register(int fd, unsigned op, void *arg, unsigned n)
{
	return syscall(__NR_io_uring_register, fd, op, arg, n);
}

ABI_FN bool
ring_map(struct ring *r)
{
	size_t sq = r->p.sq_off.array + r->p.sq_entries * 4;
	size_t cq;

	r->sqe_size = r->p.flags & IORING_SETUP_SQE128 ? 128 : 64;
	r->cqe_size = r->p.flags & IORING_SETUP_CQE32 ? 32 : 16;
	cq = r->p.cq_off.cqes + r->p.cq_entries * r->cqe_size;
	r->size = sq > cq ? sq : cq;
	r->shared = mmap(NULL, r->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
			 IORING_OFF_SQ_RING);
	r->sqes = mmap(NULL, r->p.sq_entries * r->sqe_size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, r->fd, IORING_OFF_SQES);
	if (r->shared == MAP_FAILED || r->sqes == MAP_FAILED)
		return false;
	r->sq_head = (void *)(r->shared + r->p.sq_off.head);
	r->sq_tail = (void *)(r->shared + r->p.sq_off.tail);
	r->sq_mask = (void *)(r->shared + r->p.sq_off.ring_mask);
	r->sq_flags = (void *)(r->shared + r->p.sq_off.flags);
	r->sq_dropped = (void *)(r->shared + r->p.sq_off.dropped);
	r->sq_array = (void *)(r->shared + r->p.sq_off.array);
	r->cq_head = (void *)(r->shared + r->p.cq_off.head);
	r->cq_tail = (void *)(r->shared + r->p.cq_off.tail);
	r->cq_mask = (void *)(r->shared + r->p.cq_off.ring_mask);
	r->cq_flags = (void *)(r->shared + r->p.cq_off.flags);
	r->cq_overflow = (void *)(r->shared + r->p.cq_off.overflow);
	r->cqes = r->shared + r->p.cq_off.cqes;
	return true;
}

/* A ring, mapped; fd is -1 if there is none. */
ABI_FN struct ring
ring_new(unsigned entries, unsigned flags)
{
	struct ring r = { .p.flags = flags };

	r.fd = ring_setup(entries, &r.p);
	if (r.fd >= 0 && !ring_map(&r)) {
		close(r.fd);
		r.fd = -1;
	}
	return r;
}

ABI_FN void
ring_end(struct ring *r)
{
	munmap(r->shared, r->size);
	munmap(r->sqes, r->p.sq_entries * r->sqe_size);
	close(r->fd);
}

/* The next entry, cleared. */
ABI_FN struct io_uring_sqe *
ring_sqe(struct ring *r, int op, int fd, uint64_t data)
{
	unsigned tail = *r->sq_tail;
	unsigned i = tail & *r->sq_mask;
	struct io_uring_sqe *s = (void *)(r->sqes + i * r->sqe_size);

	memset(s, 0, r->sqe_size);
	s->opcode = op;
	s->fd = fd;
	s->user_data = data;
	r->sq_array[i] = i;
	__atomic_store_n(r->sq_tail, tail + 1, __ATOMIC_RELEASE);
	r->pending++;
	return s;
}

ABI_FN struct io_uring_sqe *
ring_rw(struct ring *r, int op, int fd, void *buf, unsigned len, uint64_t off)
{
	struct io_uring_sqe *s = ring_sqe(r, op, fd, (uint64_t)op);

	s->addr = (uint64_t)buf;
	s->len = len;
	s->off = off;
	return s;
}

ABI_FN int
ring_submit_wait(struct ring *r, unsigned want)
{
	unsigned n = r->pending;

	r->pending = 0;
	return ring_enter(r->fd, n, want, want ? IORING_ENTER_GETEVENTS : 0, NULL, 0);
}

#define ring_submit(r) ring_submit_wait(r, 0)

ABI_FN unsigned
ring_ready(struct ring *r)
{
	return __atomic_load_n(r->cq_tail, __ATOMIC_ACQUIRE) - *r->cq_head;
}

/* The next completion, taken; waits for it. user_data is ~0 if there is none. */
ABI_FN struct cqe
ring_cqe(struct ring *r)
{
	struct cqe c = { .user_data = ~0ull, .res = -9999 };

	if (!ring_ready(r))
		ring_enter(r->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	if (!ring_ready(r))
		return c;
	memcpy(&c, r->cqes + (*r->cq_head & *r->cq_mask) * r->cqe_size, sizeof(c));
	__atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE);
	return c;
}

/* Submits what is pending and takes one completion: its result. */
ABI_FN int
ring_result(struct ring *r)
{
	ring_submit_wait(r, 1);
	return ring_cqe(r).res;
}

/* The result of the completion with this data among the next n, which are all taken. */
ABI_FN int
ring_result_of(struct ring *r, uint64_t data, int n)
{
	int res = -9999;

	while (n-- > 0) {
		struct cqe c = ring_cqe(r);

		if (c.user_data == data)
			res = c.res;
	}
	return res;
}

#endif
