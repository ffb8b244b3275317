/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs pairs of operations, one on CPU 1 and one on CPU 2, with the plugin of
 * tools/conflicts/ watching. It is init: mounts what it needs, and powers off.
 *
 * Model: a pair has its own process group. Its leader makes what the pair shares and then
 * the two sides: processes or threads. Both first run their operation some times unwatched,
 * then in ROUNDS windows of a single run each, then in one window TURNS times without
 * waiting for each other. In all of them a CPU's gate is open during op->run() only.
 *
 * The sides meet at counters in a page that both map. Before a watched run they meet twice:
 * first asleep, then, both awake, spinning, so that the runs overlap.
 *
 * Output, on standard output:
 *
 *	pair A B SHARING FIRST ROUNDS TURNS [REASON]
 *
 * says that windows FIRST ... FIRST + ROUNDS - 1 are the single ones, FIRST + ROUNDS the long
 * one; and FAILED A B SHARING that there is no result. Then come lines of frames_print().
 *
 * Arguments, from the kernel's command line: rounds=N turns=N; only=A,B,SHARING, as often as
 * one likes, with "" or what is missing standing for any.
 */
#define _GNU_SOURCE
#include "tests/conflicts/conflicts.h"

#include "tests/conflicts/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WARM_UP 24
#define PAIR_MS 120000
/* Turns of a loop before the sides sleep. */
#define SPINS 2000
#define FAR_BASE 0x100000000000UL
#define FAR_STEP (1UL << 32)

/* In a page that main and the sides of all pairs map. */
struct control {
	/* How often sides came to a meeting; goes up by SIDES each time. */
	_Atomic int met;
	/* Windows so far, as the plugin counts them. */
	unsigned long windows;
};

static struct control *control;
static struct side sides[SIDES];
static unsigned int rounds = 8, turns = 128;
static const char **arguments;
/* Side 0 says on the first that the windows are over; the sides wait for the second's end. */
static int over[2], leave[2];

long
must_be(long value, const char *what, const char *file, int line)
{
	if (value == -1) {
		printf("# %s:%d: %s: %s\n", file, line, what, strerror(errno));
		fflush(stdout);
		kill(0, SIGKILL);
	}
	return value;
}

void
pin_to(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	must(sched_setaffinity(0, sizeof(set), &set));
}

void
make_file(const char *path, size_t length)
{
	int fd = must(open(path, O_CREAT | O_RDWR | O_TRUNC, 0644));
	static const char zeros[PAGE];

	for (size_t done = 0; done < length; done += PAGE)
		must(write(fd, zeros, PAGE));
	close(fd);
}

/* --- meeting --- */

static void
futex(_Atomic int *word, int op, int value)
{
	syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

/* Both sides call it equally often; `meetings` counts this side's calls. */
static void
meet(int *meetings, bool sleep)
{
	int goal = ++*meetings * SIDES, now = atomic_fetch_add(&control->met, 1) + 1;

	if (now == goal && sleep)
		futex(&control->met, FUTEX_WAKE, SIDES);
	for (unsigned int i = 0; (now = atomic_load(&control->met)) < goal; i++) {
		if (sleep && i > SPINS)
			futex(&control->met, FUTEX_WAIT, now);
		else
			__builtin_ia32_pause();
	}
}

/* --- one side --- */

static void
turn(struct side *s, bool watched)
{
	const struct op *op = s->op;

	if (op->before)
		op->before(s);
	if (watched) {
		mark_begin();
		op->run(s);
		mark_end();
	} else {
		op->run(s);
	}
	if (op->after)
		op->after(s);
}

/* A run of `n` turns that overlaps with the other side's. */
static void
run_window(struct side *s, int *meetings, unsigned int n)
{
	meet(meetings, true);
	if (s->number == 0) {
		mark_clear();
		control->windows++;
	}
	meet(meetings, true);
	meet(meetings, false);
	for (unsigned int i = 0; i < n; i++)
		turn(s, true);
	meet(meetings, true);
	if (s->number == 0)
		mark_report();
}

static void *
run_side(void *arg)
{
	struct side *s = arg;
	int meetings = 0;
	char byte;

	pin_to(s->number + 1);
	if (s->op->setup)
		s->op->setup(s);
	meet(&meetings, true);
	for (unsigned int i = 0; i < WARM_UP; i++)
		turn(s, false);
	for (unsigned int i = 0; i < rounds; i++)
		run_window(s, &meetings, 1);
	run_window(s, &meetings, turns);
	meet(&meetings, true);
	if (s->number == 0)
		must(write(over[1], "", 1));
	must(read(leave[0], &byte, 1));
	return NULL;
}

/* --- one pair --- */

static void
side_init(struct side *s, const struct op *op, enum sharing sharing)
{
	bool own_dir = sharing != SAME_DIR;
	char mine = '0' + s->number;

	s->op = op;
	s->sharing = sharing;
	snprintf(s->dir, sizeof(s->dir), "/tmp/pair/%s%c", "in", own_dir ? mine : 'x');
	mkdir(s->dir, 0755);
	snprintf(s->path, sizeof(s->path), "%s/file%c", s->dir, mine);
	if (sharing == SAME_FILE || sharing == SAME_HANDLE || sharing == SAME_FD)
		snprintf(s->path, sizeof(s->path), "/tmp/pair/file");
	snprintf(s->other, sizeof(s->other), "%s/other%c", s->dir, mine);
	s->fd = s->fd2 = -1;
	s->length = sharing == NEAR ? PAGE : 8 * PAGE;
	s->memory = (char *)FAR_BASE + s->number * (sharing == NEAR ? PAGE : FAR_STEP);
}

/* Lets both sides work on one handle, made by either operation. */
static void
arrange_shared(void)
{
	for (unsigned int i = 0; i < SIDES; i++) {
		if (sides[i].op->arrange && sides[i].fd < 0)
			sides[i].op->arrange(&sides[i]);
		if (sides[i].fd >= 0 && i == 0) {
			sides[1].fd = sides[0].fd;
			sides[1].fd2 = sides[0].fd2;
			sides[1].object = sides[0].object;
		}
	}
}

static void
run_threads(void)
{
	pthread_t threads[SIDES];

	for (unsigned int i = 0; i < SIDES; i++)
		pthread_create(&threads[i], NULL, run_side, &sides[i]);
	for (unsigned int i = 0; i < SIDES; i++)
		pthread_join(threads[i], NULL);
}

static void
run_processes(void)
{
	for (unsigned int i = 0; i < SIDES; i++) {
		if (must(fork()) == 0) {
			run_side(&sides[i]);
			_exit(0);
		}
	}
	for (unsigned int i = 0; i < SIDES; i++)
		must(wait(NULL));
}

/* The leader of the pair's process group: does not return. */
static void
lead(const struct pair *p)
{
	setpgid(0, 0);
	close(leave[1]);
	must(mkdir("/tmp/pair", 0755));
	must(mount("pair", "/tmp/pair", "tmpfs", 0, NULL));
	atomic_store(&control->met, 0);
	for (unsigned int i = 0; i < SIDES; i++) {
		sides[i].number = i;
		side_init(&sides[i], i == 0 ? p->a : p->b, p->sharing);
	}
	if (p->sharing == SAME_FILE || p->sharing == SAME_HANDLE || p->sharing == SAME_FD)
		make_file(sides[0].path, 16 * PAGE);
	if (p->sharing == SAME_HANDLE || p->sharing == SAME_FD)
		arrange_shared();
	if (sharing_is_threads(p->sharing))
		run_threads();
	else
		run_processes();
	_exit(0);
}

/* Does an argument only=A,B,SHARING name the pair? */
static bool
names_pair(const char *words, const struct pair *p)
{
	const char *names[] = {p->a->name, p->b->name, sharing_name(p->sharing)};

	for (unsigned int i = 0; i < array_size(names) && *words != '\0'; i++) {
		size_t n = strcspn(words, ",");

		if (n != 0 && (strlen(names[i]) != n || memcmp(words, names[i], n) != 0))
			return false;
		words += n + (words[n] == ',');
	}
	return true;
}

static bool
wanted(const struct pair *p)
{
	bool any = true;

	for (const char **a = arguments; *a != NULL; a++) {
		if (strncmp(*a, "only=", 5) != 0)
			continue;
		if (names_pair(*a + 5, p))
			return true;
		any = false;
	}
	return any;
}

static void
run_pair(const struct pair *p)
{
	unsigned long first = control->windows + 1;
	struct pollfd done;
	pid_t leader;
	bool good;

	if (!wanted(p))
		return;
	fflush(stdout);
	must(pipe(over));
	must(pipe(leave));
	leader = must(fork());
	if (leader == 0)
		lead(p);
	close(over[1]);
	close(leave[0]);
	done = (struct pollfd){.fd = over[0], .events = POLLIN};
	good = poll(&done, 1, PAIR_MS) == 1 && (done.revents & POLLIN);
	printf("%s %s %s %s", good ? "pair" : "FAILED", p->a->name, p->b->name,
	       sharing_name(p->sharing));
	if (good) {
		printf(" %lu %u %u %s\n", first, rounds, turns, p->reason ? p->reason : "");
		frames_print();
	} else {
		printf("\n");
		kill(-leader, SIGKILL);
	}
	close(leave[1]);
	close(over[0]);
	must(waitpid(leader, NULL, 0));
	must(umount2("/tmp/pair", MNT_DETACH));
	must(rmdir("/tmp/pair"));
}

/* --- start --- */

static void
mount_all(void)
{
	static const char *const mounts[][2] = {
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}};

	for (unsigned int i = 0; i < array_size(mounts); i++) {
		mkdir(mounts[i][1], 0755);
		if (mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, NULL) != 0 && errno != EBUSY)
			printf("# cannot mount %s: %s\n", mounts[i][1], strerror(errno));
	}
}

int
main(int argc, char **argv)
{
	mount_all();
	arguments = (const char **)argv + 1;
	for (const char **a = arguments; *a != NULL; a++)
		if (sscanf(*a, "rounds=%u", &rounds) != 1)
			sscanf(*a, "turns=%u", &turns);
	control = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pin_to(0);
	frames_print();
	pairs_for_each(run_pair);
	printf("windows %lu\n", control->windows);
	fflush(stdout);
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	return 0;
}
