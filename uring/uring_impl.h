/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of uring/; ring.c tells the model. */
#ifndef URING_URING_IMPL_H
#define URING_URING_IMPL_H

#include "kernel/cred.h"
#include "kernel/file.h"
#include "kernel/handle/handle.h"
#include "kernel/time/timer.h"
#include "kernel/uapi/fcntl.h"
#include "kernel/uapi/uring.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "mm/slab.h"
#include "percpu/work.h"
#include "sync/mutex.h"
#include "sync/waitq.h"

struct eventfd;
struct pathname;
struct task;
struct user;
struct uring_file_table;
struct uring_buffer;
struct uring_buffer_group;
struct uring_sqpoll;
struct uring_task;
struct uring_worker;

/* Limits of the ABI. */
#define URING_MAX_ENTRIES 32768u
#define URING_MAX_CQ_ENTRIES (2 * URING_MAX_ENTRIES)
#define URING_MAX_RING_FDS 16u
#define URING_MAX_BUFFERS (1u << 14)
#define URING_MAX_FILES (1u << 20)
#define URING_MAX_RESTRICTIONS (IORING_REGISTER_LAST + IORING_OP_LAST)
#define URING_MAX_PERSONALITIES 0xffffu

/*
 * The head of the memory that a ring shares with its program. Who writes what:
 * p the program, k the kernel; each on lines of its own.
 */
struct ring_shared {
	/* k */
	u32 sq_head;
	/* p */
	u32 sq_tail __cacheline_aligned;
	/* p */
	u32 cq_head __cacheline_aligned;
	/* k */
	u32 cq_tail __cacheline_aligned;
	/* k, from here on; a: sq_flags */
	u32 sq_mask __cacheline_aligned;
	u32 cq_mask;
	u32 sq_entries, cq_entries;
	u32 sq_dropped;
	u32 sq_flags;
	u32 cq_overflow;
	/* p */
	u32 cq_flags;
	u8 cqes[] __cacheline_aligned;
};

/* A completion that found no room. */
struct overflow {
	struct list link;
	struct uring_cqe cqe;
	u64 big[2];
};

/* What may be asked of a ring, once it has restrictions. */
struct restrictions {
	bool registered;
	u64 register_ops;
	u64 sqe_ops;
	u8 flags_allowed, flags_required;
};

struct ring {
	/* --- what a submission reads --- */
	/* I */
	u32 flags;
	u32 sq_entries, cq_entries;
	u8 sqe_shift, cqe_shift;
	/* (mutex)  IORING_SETUP_R_DISABLED is over */
	bool enabled;
	bool restricted;
	/* (mutex)  requests are drained: each looks whether it must wait */
	bool draining;
	/* (mutex)  the request behind the current link is to be drained too */
	bool drain_next;
	/* (mutex)  CQE_SKIP was used: IO_DRAIN cannot be any more */
	bool drain_disabled;
	/* a  the handle is gone */
	bool dying;
	/* I */
	struct ring_shared *shared;
	u8 *sqes;
	u32 *sq_array;
	/* (mutex) */
	u32 sq_head;
	/* (mutex)  a request to be used again; NULL: none */
	struct request *spare;
	/* Held while requests are taken from the ring and started, and for registered things. */
	struct mutex mutex;

	/* --- completions --- */
	struct spinlock cq_lock __cacheline_aligned;
	/* (cq_lock) */
	u32 cq_tail;
	/* (cq_lock)  completions that were no timeouts': what TIMEOUT counts */
	u32 cq_counted;
	struct list overflow;
	u32 nr_overflow;
	/* (cq_lock)  a completion was lost: io_uring_enter(2) says so once */
	bool lost;
	/* (cq_lock)  timeouts with a count, in order of it */
	struct list counting;
	/* a  requests started and ended, for IO_DRAIN; started under the mutex */
	u32 started;
	u32 ended;
	struct waitq wait;

	/* --- requests under way --- */
	struct spinlock req_lock __cacheline_aligned;
	/* (req_lock)  by ring_link */
	struct list reqs;
	/* (req_lock)  those that wait for others to end, in order */
	struct list deferred;
	/* a  one for the handle, one for each request under way */
	u32 refs;

	/* --- registered; (mutex) --- */
	struct uring_file_table *files;
	struct uring_buffer **buffers;
	u32 nr_buffers;
	struct uring_buffer_group **groups;
	u32 nr_groups;
	/* a  RCU; NULL: none */
	struct ring_eventfd __rcu *eventfd;
	const struct cred **creds;
	u32 nr_creds;
	struct restrictions restrictions;
	u32 worker_limits[2];

	/* I  whose locked memory the buffers are; NULL: nobody's (CAP_IPC_LOCK) */
	struct user *user;
	/* I  SINGLE_ISSUER: who may submit; set when it is enabled */
	struct task *submitter;
	struct uring_sqpoll *sqpoll;
	/* I  pages of both areas, for mmap */
	struct page **pages;
	u32 ring_pages, sqe_pages;
	struct work free_work;
};

struct ring_eventfd {
	struct file *file;
	struct eventfd *eventfd;
	bool async_only;
	struct rcu_head rcu;
};

/* request->state: who has it. Waiting states are entered under ring->req_lock. */
enum request_state {
	/* whoever runs it */
	REQ_RUN,
	/* on its task's list of work, or being run from it; its file has called since */
	REQ_WORK,
	REQ_WORK_AGAIN,
	/* its waiters are being queued; one of them has called meanwhile */
	REQ_ARM,
	REQ_ARM_FIRED,
	/* the queues of its file, which call */
	REQ_POLL,
	/* its timer */
	REQ_TIMER,
	/* a pool of workers */
	REQ_QUEUED,
	/* ring->deferred */
	REQ_DEFERRED,
};

/* request->flags */
#define RQ_FIXED_FILE IOSQE_FIXED_FILE
#define RQ_DRAIN IOSQE_IO_DRAIN
#define RQ_LINK IOSQE_IO_LINK
#define RQ_HARDLINK IOSQE_IO_HARDLINK
#define RQ_ASYNC IOSQE_ASYNC
#define RQ_SELECT IOSQE_BUFFER_SELECT
#define RQ_SKIP IOSQE_CQE_SKIP_SUCCESS
/* It failed: what is linked behind it goes too. */
#define RQ_FAIL 0x00100u
/* What the user's memory says was copied. */
#define RQ_IMPORTED 0x00200u
/* Under way: in the lists of its ring and task. */
#define RQ_TRACKED 0x00400u
/* -EAGAIN is its result. */
#define RQ_NOWAIT 0x00800u
/* Was polled before. */
#define RQ_POLLED 0x01000u
/* A buffer was taken out of a group. */
#define RQ_BUFFER 0x02000u
/* It asks for more completions of its kind. */
#define RQ_MULTISHOT 0x04000u
/* Its link timeout has been started. */
#define RQ_LINK_TIMEOUT 0x08000u
/* Those linked behind it say nothing when it fails. */
#define RQ_SKIP_LINKS 0x10000u
/* Its completion is no event that TIMEOUT counts. */
#define RQ_UNCOUNTED 0x20000u
/* Its file is to be polled before it is tried. */
#define RQ_POLL_FIRST 0x40000u
/* A negative result is what it was for. */
#define RQ_NO_FAIL 0x80000u
/* Its submitter starts it, under the ring's mutex, until it is tracked. */
#define RQ_SUBMITTED 0x100000u

/* A queue that a request waits on. */
struct poll_entry {
	struct waiter waiter;
	struct request *req;
	struct poll_entry *next;
};

/* What a request of each kind holds. */
struct op_rw {
	u64 addr;
	s64 pos;
	u32 len;
	u32 flags;
	/* what was moved before it went to a worker */
	s64 done;
	struct iovec *iov;
	struct iter iter;
};

struct op_msg {
	u64 addr;
	u64 name;
	u32 len;
	u32 flags;
	u32 name_len;
	s64 done;
	/* SENDMSG, RECVMSG: the header as it was */
	void *copied;
};

struct op_path {
	/* copies of names */
	struct pathname *a, *b;
	s32 dfd, dfd2;
	u32 flags;
	u32 mask;
	u64 addr;
	u64 len;
	u64 how_mode, how_resolve;
	/* xattr: name and value */
	char *name;
	void *value;
};

struct op_poll {
	u32 events;
	u32 flags;
	u64 old_data, new_data;
};

struct op_timeout {
	u64 ns;
	u32 flags;
	u32 off;
	u32 target;
	u64 addr;
	struct list link;
	/* LINK_TIMEOUT: what it limits */
	struct request *head;
	/* its timer has pushed it */
	bool fired;
};

struct op_args {
	u64 a, b;
	u32 len, flags;
	u32 x, y;
	u64 c;
};

struct request {
	struct ring *ring;
	u64 user_data;
	s32 res;
	u32 cflags;
	u32 flags;
	u8 opcode;
	u16 buf_index;
	u16 ioprio;
	/* a  enum request_state */
	u32 state;
	/* (req_lock)  it is to end with -ECANCELED */
	bool cancel;
	s32 fd;
	/* 0: a descriptor; else 1 + the slot of the ring's files that gets the handle */
	u32 file_slot;
	struct file *file;
	/* READ_FIXED, WRITE_FIXED */
	struct uring_buffer *buffer;
	/* NULL: those of who runs it, which are its submitter's */
	const struct cred *cred;
	struct uring_task *task;
	/* o  linked behind it */
	struct request *link;
	/* (req_lock)  the LINK_TIMEOUT that runs for it */
	struct request *link_timeout;
	/* of a list of work, of a link that is being made */
	struct request *next;
	/* (req_lock)  the worker that runs it */
	struct uring_worker *worker;
	struct list ring_link;
	struct list task_link;
	/* of a pool's queue, or ring->deferred */
	struct list queue_link;
	/* IO_DRAIN: how many were started before it */
	u32 order;
	/* the buffer that was taken out of its group */
	struct uring_buf taken;
	/* (task->lock)  the look of its task's end that has seen its ring */
	u32 exit_pass;
	u32 poll_events;
	struct poll_entry poll;
	struct timer timer;
	union {
		struct op_rw rw;
		struct op_msg msg;
		struct op_path path;
		struct op_poll op_poll;
		struct op_timeout timeout;
		struct op_args args;
	};
};

/* How it is issued. */
#define ISSUE_NONBLOCK 0x1u
/* ring->mutex is held */
#define ISSUE_LOCKED 0x2u

/* What ->issue returns if the request is no longer its own. */
#define ISSUE_QUEUED (-529)

/* op_def->flags */
#define OP_FILE 0x001u
#define OP_POLLIN 0x002u
#define OP_POLLOUT 0x004u
#define OP_SELECT 0x008u
#define OP_IOPRIO 0x010u
/* Always by a worker. */
#define OP_BLOCKS 0x020u
/* A short result fails the link. */
#define OP_NOT_ASYNC 0x040u

struct op_def {
	const char *name;
	u32 flags;
	/* Looks at the entry: 0 or -Exxx. */
	int (*prep)(struct request *r, const struct uring_sqe *sqe);
	/* Copies what it needs of user memory, before it goes on without its submitter. */
	int (*import)(struct request *r);
	/* The result, -EAGAIN (if ISSUE_NONBLOCK), ISSUE_QUEUED. */
	long (*issue)(struct request *r, u32 how);
	void (*cleanup)(struct request *r);
};
extern const struct op_def op_defs[IORING_OP_LAST];

/* What a task that uses rings has (task->uring). */
struct uring_task {
	/* I */
	struct task *owner;
	/* a  the owner, its workers, its requests */
	u32 refs;
	/* a  requests to go on with, newest first; anybody pushes */
	struct request *work;
	/* a  TASK_AWAY, TASK_INSIDE, TASK_WAITS */
	u32 active;
	/* a  it ends or execs: what is under way is cancelled, nothing waits any more */
	bool exiting;
	/* o  the handle of the ring that it is in, whose reference may have to be counted */
	struct fdref *inside;
	/* o  handles by IORING_REGISTER_RING_FDS */
	struct file *ring_fds[URING_MAX_RING_FDS];
	/* o  rings whose submission threads it made */
	struct list sqpolls;
	struct spinlock lock __cacheline_aligned;
	/* l */
	struct list reqs;
	u32 nr_reqs;
	/* its end waits for requests and workers */
	struct waitq wait;

	struct spinlock pool_lock __cacheline_aligned;
	/* (pool_lock)  for what may last (1), and for files that answer soon (0) */
	struct list queue[2];
	struct list idle[2];
	u32 nr_workers[2], max_workers[2], nr_starting[2];
	struct list workers;
	u32 nr_threads;
	struct uring_worker *manager;
	bool stopping;
	/* o  counts the looks at what is to be cancelled */
	u32 exit_pass;
	struct rcu_head rcu;
};

#define TASK_AWAY 0u
#define TASK_INSIDE 1u
#define TASK_WAITS 2u

struct uring_worker {
	/* I */
	struct uring_task *task;
	struct task *thread;
	bool manager;
	u8 kind;
	/* of a ring's thread, which is in no pool */
	struct uring_sqpoll *sqpoll;
	/* (pool_lock) */
	struct list link;
	struct list idle_link;
};

/* --- ring.c --- */
extern const struct file_ops uring_ops;
extern const struct lock_class uring_mutex_class, uring_class, uring_cq_class;
static inline struct ring *
file_ring(const struct file *f)
{
	return f->ops == &uring_ops ? f->private : NULL;
}
struct ring *ring_get(struct ring *ring);
void ring_put(struct ring *ring);

/* --- cq.c --- */
/* A completion; any context but under a queue's lock. False: it was lost. */
bool ring_post(struct ring *ring, u64 user_data, s32 res, u32 flags);
/* The same of a request whose end counts. */
void ring_post_request(struct request *r);
/* Moves what has overflown to the ring as far as there is room. */
void ring_move_overflow(struct ring *ring);
static inline void
ring_flush_overflow(struct ring *ring)
{
	if (unlikely(READ_ONCE(ring->nr_overflow)))
		ring_move_overflow(ring);
}
/* Completions that the program has not taken. */
static inline u32
ring_ready(const struct ring *ring)
{
	return READ_ONCE(ring->shared->cq_tail) - READ_ONCE(ring->shared->cq_head);
}
void ring_drop_overflow(struct ring *ring);

/* --- request.c --- */
struct request *request_alloc(struct ring *ring);
/* Its end: the completion, what is linked behind it, what it holds. Task context. */
void request_end(struct request *r, s32 res);
/* From now on others may find it: before it waits for anything. 0, -EAGAIN, -ENOMEM. */
int request_track(struct request *r, bool needs_pool);
/* Enters a waiting state; false: it is cancelled. */
bool request_wait_state(struct request *r, u32 state);
/* It goes on by whoever runs its task's work. Any context; the caller owns it. */
void request_push(struct request *r);
/* Starts it: tries without waiting, then polls or gives it to a worker. */
void request_start(struct request *r, u32 how);
/* By a worker, who may wait. */
void request_run(struct request *r, struct uring_worker *w);
/* Runs what is on the list. */
bool task_work_run_all(struct uring_task *t);
/* The same if there is something: was there? */
static inline bool
task_work_run(struct uring_task *t)
{
	return unlikely(READ_ONCE(t->work)) && task_work_run_all(t);
}
void request_free(struct request *r);
/* Notes that it fails, with this result. */
void request_fail(struct request *r, s32 res);
/* Frees one that was never prepared. */
void request_discard(struct request *r);
/* Those deferred that may start now. */
void ring_undefer(struct ring *ring);

/* --- cancel.c --- */
struct cancel_key {
	struct ring *ring;
	/* IORING_ASYNC_CANCEL_* */
	u32 flags;
	u64 user_data;
	struct file *file;
	u8 opcode;
	/* only requests of this one */
	struct uring_task *task;
	/* not itself */
	struct request *except;
};
/*
 * req_lock held. 0: it ends with -ECANCELED, by itself or, if it was a timer's, by the
 * caller: then it is in *owned, for timeouts_end(). -EALREADY: it is being run.
 */
int cancel_locked(struct request *r, struct request **owned);
/* 0 or how many (ALL, ANY); -ENOENT, -EALREADY. */
int cancel_matching(const struct cancel_key *k);
void ring_cancel_all(struct ring *ring, struct uring_task *t);
int cancel_sync(struct ring *ring, const void __user *arg);
int prep_cancel(struct request *r, const struct uring_sqe *sqe);
long issue_cancel(struct request *r, u32 how);

/* --- poll.c --- */
/* 0: armed, it is no longer ours; > 0: ready with these events; -Exxx. */
long request_poll_arm(struct request *r, u32 events);
void request_poll_remove(struct request *r);
/* A queue has called: it goes on. */
void request_polled(struct request *r);
int prep_poll_add(struct request *r, const struct uring_sqe *sqe);
long issue_poll_add(struct request *r, u32 how);
int prep_poll_remove(struct request *r, const struct uring_sqe *sqe);
long issue_poll_remove(struct request *r, u32 how);

/* --- timeout.c --- */
int prep_timeout(struct request *r, const struct uring_sqe *sqe);
long issue_timeout(struct request *r, u32 how);
int prep_link_timeout(struct request *r, const struct uring_sqe *sqe);
long issue_link_timeout(struct request *r, u32 how);
int prep_timeout_remove(struct request *r, const struct uring_sqe *sqe);
long issue_timeout_remove(struct request *r, u32 how);
/* Starts the timer of the LINK_TIMEOUT behind r, which has begun to wait. */
void link_timeout_start(struct request *r);
/* r ends: takes it off again; it is the caller's, or NULL. */
struct request *link_timeout_stop(struct request *r);
/* Timeouts whose count is reached, taken off; cq_lock held. By ->next. */
struct request *timeouts_due(struct ring *ring);
/* They end; any context. */
void timeouts_end(struct request *list, s32 res);
/* The timer of a TIMEOUT has fired; any context, if nothing is linked behind it. */
void timeout_fired(struct request *r);
/* The timer of a LINK_TIMEOUT has fired, in task context. */
void link_timeout_fired(struct request *t);

/* --- worker.c --- */
/* current's, made if need be; NULL: no memory. */
struct uring_task *uring_task_get(void);
void uring_task_put(struct uring_task *t);
/* A manager is there: 0, -EAGAIN, -ENOMEM. */
int pool_start(struct uring_task *t);
/* To a worker; false: it is cancelled. */
bool pool_queue(struct request *r);
/* Takes it out of the queue again. */
bool pool_remove(struct request *r);
/* Somebody has pushed work. */
void task_kick(struct uring_task *t);
/* Ends the waiting of the call that the worker makes. */
void worker_interrupt(struct uring_worker *w);
int pool_limits(struct ring *ring, u32 __user *arg);

/* --- submit.c --- */
/* Up to n entries: how many were taken, or -Exxx. mutex held. */
int ring_submit(struct ring *ring, struct uring_task *t, u32 n);
u32 ring_submittable(const struct ring *ring);
/* The handle of a ring, by descriptor or by its place in the task's table; .file NULL: none. */
struct fdref ring_fdref(unsigned int fd, bool registered);

/* --- files.c, buffers.c, select.c, register.c, sqpoll.c --- */
/* Slot i with a reference, or NULL. mutex held. */
struct file *ring_file(struct ring *ring, u32 i);
/*
 * Puts f (its reference) into a slot: slot is 1 + number, or IORING_FILE_INDEX_ALLOC, when
 * the result is the number. -ENXIO, -EINVAL, -EBADF, -ENFILE.
 */
long ring_file_install(struct request *r, struct file *f, u32 slot, u32 how);
int ring_file_close(struct ring *ring, u32 i, u32 how);
void ring_files_free(struct ring *ring);
long files_register(struct ring *ring, void __user *arg, u32 nr, u64 __user *tags);
long files_register2(struct ring *ring, void __user *arg, u32 size);
long files_unregister(struct ring *ring);
struct rsrc_update {
	u32 offset, nr;
	u64 data, tags;
};
long files_update(struct ring *ring, const struct rsrc_update *u);
long files_alloc_range(struct ring *ring, const struct uring_file_range __user *arg);
/* Points rw->iter at [addr, addr + len) of it: 0 or -EFAULT. */
int ring_buffer_iter(struct uring_buffer *b, struct op_rw *rw);
/* Buffer i with a reference, or NULL. mutex held. */
struct uring_buffer *ring_buffer_get(struct ring *ring, u32 i);
void ring_buffer_put(struct uring_buffer *b);
long buffers_register(struct ring *ring, void __user *arg, u32 nr, u64 __user *tags);
long buffers_register2(struct ring *ring, void __user *arg, u32 size);
long buffers_update(struct ring *ring, const struct rsrc_update *u);
long buffers_unregister(struct ring *ring);
/* A buffer of the request's group: its address, and *len cut to it. */
int select_buffer(struct request *r, u64 *addr, u32 *len, u32 how);
/* Gives it back unused. */
void select_undo(struct request *r, u32 how);
void select_free(struct ring *ring);
long select_register(struct ring *ring, const void __user *arg);
long select_unregister(struct ring *ring, const void __user *arg);
int prep_provide(struct request *r, const struct uring_sqe *sqe);
long issue_provide(struct request *r, u32 how);
int prep_remove_buffers(struct request *r, const struct uring_sqe *sqe);
long issue_remove_buffers(struct request *r, u32 how);
void ring_eventfd_free(struct ring *ring);
int sqpoll_create(struct ring *ring, struct uring_task *t, const struct uring_params *p);
/* The ring's handle is gone: its thread ends, some time. */
void sqpoll_stop(struct ring *ring);
/* The ring goes, after its thread. */
void sqpoll_free(struct ring *ring);
int sqpoll_wait_room(struct ring *ring);
void sqpoll_wake(struct ring *ring);
/* t exits: the threads that it made stop. */
void sqpoll_owner_exit(struct uring_task *t);
void uring_sqpoll_exit(struct uring_sqpoll *s);
s32 sqpoll_tid(const struct ring *ring);
s32 sqpoll_cpu(const struct ring *ring);
bool sqpoll_dead(const struct ring *ring);

/* --- op_*.c --- */
int prep_rw(struct request *r, const struct uring_sqe *sqe);
int prep_rw_fixed(struct request *r, const struct uring_sqe *sqe);
int import_rw(struct request *r);
long issue_rw(struct request *r, u32 how);
void cleanup_rw(struct request *r);
int prep_msg(struct request *r, const struct uring_sqe *sqe);
int import_msg(struct request *r);
long issue_msg(struct request *r, u32 how);
void cleanup_msg(struct request *r);
int prep_accept(struct request *r, const struct uring_sqe *sqe);
long issue_accept(struct request *r, u32 how);
int prep_connect(struct request *r, const struct uring_sqe *sqe);
int import_connect(struct request *r);
long issue_connect(struct request *r, u32 how);
void cleanup_connect(struct request *r);
int prep_shutdown(struct request *r, const struct uring_sqe *sqe);
long issue_shutdown(struct request *r, u32 how);
int prep_socket(struct request *r, const struct uring_sqe *sqe);
long issue_socket(struct request *r, u32 how);
int prep_open(struct request *r, const struct uring_sqe *sqe);
int prep_open2(struct request *r, const struct uring_sqe *sqe);
long issue_open(struct request *r, u32 how);
void cleanup_path(struct request *r);
int prep_statx(struct request *r, const struct uring_sqe *sqe);
long issue_statx(struct request *r, u32 how);
int prep_two_paths(struct request *r, const struct uring_sqe *sqe);
long issue_two_paths(struct request *r, u32 how);
int prep_one_path(struct request *r, const struct uring_sqe *sqe);
long issue_one_path(struct request *r, u32 how);
int prep_xattr(struct request *r, const struct uring_sqe *sqe);
long issue_xattr(struct request *r, u32 how);
int prep_file_call(struct request *r, const struct uring_sqe *sqe);
long issue_file_call(struct request *r, u32 how);
int prep_splice(struct request *r, const struct uring_sqe *sqe);
long issue_splice(struct request *r, u32 how);
int prep_close(struct request *r, const struct uring_sqe *sqe);
long issue_close(struct request *r, u32 how);

static inline void
ring_lock(struct ring *ring, u32 how)
{
	if (!(how & ISSUE_LOCKED))
		mutex_lock(&ring->mutex);
}

static inline void
ring_unlock(struct ring *ring, u32 how)
{
	if (!(how & ISSUE_LOCKED))
		mutex_unlock(&ring->mutex);
}

#endif
