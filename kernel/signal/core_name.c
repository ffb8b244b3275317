/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a core dump is called: kernel.core_pattern and kernel.core_uses_pid
 * (core(5)).
 *
 * Model: the pattern is copied, its escapes are replaced. A pattern that begins
 * with '|' is a command: its words are told apart before anything is replaced,
 * so that a name with a blank in it stays one word. What stands for a name
 * (host, program) cannot lead to another directory: slashes become '!', so do an
 * empty name and the first dot of "." and "..".
 *
 * Locking: pattern_lock for writers; readers look again if one came between.
 */
#include "kernel/signal/core_impl.h"

#include "kernel/file.h"
#include "kernel/log.h"
#include "kernel/seq.h"
#include "kernel/signal/port.h"
#include "kernel/sysctl.h"
#include "kernel/task/task.h"
#include "kernel/task/uts.h"
#include "kernel/time/clock.h"
#include "kernel/uapi/signal.h"
#include "lib/errno.h"
#include "lib/parse.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space.h"
#include "percpu/pin.h"
#include "sync/mutex.h"
#include "sync/seq.h"

#define PATTERN_MAX 127
#define NAME_ROOM 256
#define PATH_ROOM 4096
/* Descriptor of the pidfd that a command gets. */
#define PIDFD_NUMBER 3

static_assert(UTS_LEN + 1 >= TASK_COMM_LEN, "put_text_escape");

static LOCK_CLASS(pattern_class, RANK_PROCESS);
static struct mutex pattern_lock = MUTEX_INIT(pattern_lock, pattern_class);
/* Writers hold pattern_lock; readers write nothing. */
static struct seqcount pattern_seq;
static char pattern[PATTERN_MAX + 1] = "core";
/* a */
static u32 uses_pid;

/* --- settings --- */

static void
pattern_get(char out[PATTERN_MAX + 1])
{
	u32 seq;

	do {
		seq = seq_read_begin(&pattern_seq);
		memcpy(out, pattern, sizeof(pattern));
	} while (seq_read_retry(&pattern_seq, seq));
}

bool
core_name_is_pipe(void)
{
	return READ_ONCE(pattern[0]) == '|';
}

static void
warn_if_unsafe(void)
{
	char first = READ_ONCE(pattern[0]);

	if (READ_ONCE(suid_dumpable) != 2 || first == '/' || first == '|')
		return;
	log_warn("Unsafe core_pattern used with fs.suid_dumpable=2.");
	log_warn("Pipe handler or fully qualified core dump path required.");
	log_warn("Set kernel.core_pattern before fs.suid_dumpable.");
}

static int
show_pattern(struct seq *s)
{
	char now[PATTERN_MAX + 1];

	pattern_get(now);
	seq_printf(s, "%s\n", now);
	return 0;
}

static int
store_pattern(char *text)
{
	size_t n = strnlen(text, PATTERN_MAX);

	mutex_lock(&pattern_lock);
	pin();
	seq_write_begin(&pattern_seq);
	memset(pattern, 0, sizeof(pattern));
	memcpy(pattern, text, n);
	seq_write_end(&pattern_seq);
	unpin();
	mutex_unlock(&pattern_lock);
	warn_if_unsafe();
	return 0;
}
SYSCTL_RW(core_pattern, "kernel/core_pattern", show_pattern, store_pattern);
SYSCTL_U32(core_uses_pid, "kernel/core_uses_pid", &uses_pid, 0, 0x7fffffffu);

static int
show_suid_dumpable(struct seq *s)
{
	seq_printf(s, "%u\n", READ_ONCE(suid_dumpable));
	return 0;
}

static int
store_suid_dumpable(char *text)
{
	u32 v;

	if (parse_u32(text, 10, &v) || v > 2)
		return -EINVAL;
	WRITE_ONCE(suid_dumpable, v);
	warn_if_unsafe();
	return 0;
}
SYSCTL_RW(suid_dumpable, "fs/suid_dumpable", show_suid_dumpable, store_suid_dumpable);

/* --- escapes --- */

static void
put_name(struct seq *s, const char *name)
{
	bool dots = str_equal(name, "") || str_equal(name, ".") || str_equal(name, "..");

	if (dots) {
		seq_putc(s, '!');
		name += *name ? 1 : 0;
	}
	for (; *name; name++)
		seq_putc(s, *name == '/' ? '!' : *name);
}

/* The program's path, or the last part of it. */
static int
put_program(struct seq *s, bool last_part)
{
	struct file *f = space_get_exe(current->space);
	char comm[TASK_COMM_LEN];
	const char *path, *slash;
	char *buf;

	if (!f) {
		task_get_comm(current, comm);
		put_name(s, comm);
		seq_puts(s, " (path unknown)");
		return 0;
	}
	buf = kmalloc(PATH_ROOM, GFP_KERNEL);
	path = buf ? file_name(f, buf, PATH_ROOM) : err_ptr(-ENOMEM);
	if (!is_err(path)) {
		slash = last_part ? strrchr(path, '/') : NULL;
		put_name(s, slash ? slash + 1 : path);
	}
	kfree(buf);
	file_put(f);
	return is_err(path) ? (int)ptr_err(path) : 0;
}

static int
put_text_escape(struct seq *s, char escape)
{
	char name[UTS_LEN + 1];

	switch (escape) {
	case 'h':
		uts_get_nodename(name);
		put_name(s, name);
		return 0;
	case 'e':
		task_get_comm(current, name);
		put_name(s, name);
		return 0;
	case 'E':
	case 'f':
		return put_program(s, escape == 'f');
	}
	/* Unknown ones vanish. */
	return 0;
}

static int
put_escape(struct seq *s, char escape, const struct core *c, struct core_name *n)
{
	const struct process *p = current->process;

	switch (escape) {
	case '%':
		seq_putc(s, '%');
		return 0;
	case 'p':
	case 'P':
		seq_printf(s, "%d", p->tgid);
		return 0;
	case 'i':
	case 'I':
		seq_printf(s, "%d", current->tid);
		return 0;
	case 'u':
		seq_printf(s, "%u", current_cred()->uid);
		return 0;
	case 'g':
		seq_printf(s, "%u", current_cred()->gid);
		return 0;
	case 'd':
		seq_printf(s, "%d", READ_ONCE(p->dumpable));
		return 0;
	case 's':
		seq_printf(s, "%d", c->info->signo);
		return 0;
	case 't':
		seq_printf(s, "%lu", ktime_get_real() / NSEC_PER_SEC);
		return 0;
	case 'c':
		seq_printf(s, "%lu", rlimit(RLIMIT_CORE));
		return 0;
	case 'F':
		n->pidfd = n->pipe;
		if (n->pipe)
			seq_printf(s, "%d", PIDFD_NUMBER);
		return 0;
	default:
		return put_text_escape(s, escape);
	}
}

/* --- the whole --- */

/* `from` with its escapes replaced; *pid: the number of the process is in it. */
static int
expand(struct seq *s, const char *from, const struct core *c, struct core_name *n, bool *pid)
{
	int err = 0;

	for (; *from && !err; from++) {
		if (*from != '%') {
			seq_putc(s, *from);
			continue;
		}
		if (!*++from)
			break;
		*pid |= *from == 'p';
		err = put_escape(s, *from, c, n);
	}
	return err;
}

static int
make_command(struct seq *s, char *words, const struct core *c, struct core_name *n)
{
	bool pid = false;
	int err = 0;

	n->words = 0;
	while (!err) {
		char *word = words + strspn(words, " \t\n");

		if (!*word)
			break;
		words = word + strcspn(word, " \t\n");
		if (*words)
			*words++ = '\0';
		err = expand(s, word, c, n, &pid);
		seq_putc(s, '\0');
		n->words++;
	}
	return err ? err : n->words ? 0 : -EINVAL;
}

static int
make(struct seq *s, const char *now, const struct core *c, struct core_name *n)
{
	char words[PATTERN_MAX + 1];
	bool pid = false;
	int err;

	n->pipe = *now == '|';
	if (n->pipe) {
		strscpy(words, now + 1, sizeof(words));
		return make_command(s, words, c, n);
	}
	err = expand(s, now, c, n, &pid);
	if (!err && !pid && READ_ONCE(uses_pid))
		seq_printf(s, ".%d", current->process->tgid);
	seq_putc(s, '\0');
	return err;
}

int
core_name_make(struct core_name *n, const struct core *c)
{
	struct seq s = {.size = NAME_ROOM};
	char now[PATTERN_MAX + 1];
	int err;

	*n = (struct core_name){0};
	pattern_get(now);
	for (;;) {
		s.len = 0;
		s.buf = kvmalloc(s.size, GFP_KERNEL);
		if (!s.buf)
			return -ENOMEM;
		err = make(&s, now, c, n);
		if (!err && s.len <= s.size)
			break;
		kvfree(s.buf);
		if (err)
			return err;
		/* Names may have grown in between. */
		s.size = s.len + NAME_ROOM;
	}
	n->text = s.buf;
	return 0;
}
