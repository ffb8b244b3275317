/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc tells about the inside of the kernel: its symbols, interrupts, where tasks sleep. */
#include "tests/abi/abi.h"

#define TEXT (8 << 20)

static char *text;

static size_t
read_text(const char *path)
{
	if (!text)
		text = malloc(TEXT);
	return get(path, text, TEXT) < 0 ? 0 : strlen(text);
}

/* The next line of the text, cut off; NULL: no more. */
static char *
next_line(char **at)
{
	char *line = *at, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*at = end + 1;
	return line;
}

TEST(kallsyms)
{
	unsigned long addr, last = 0, named = 0, text_symbols = 0;
	char *at, *line, name[512], kind;
	bool good = true, zero = true;

	if (!check(read_text("/proc/kallsyms") > 10000))
		return;
	for (at = text; (line = next_line(&at));) {
		good = good && sscanf(line, "%lx %c %511s", &addr, &kind, name) == 3 &&
		       strspn(line, "0123456789abcdef") == 16 && line[16] == ' ' && line[18] == ' ';
		named++;
		if (kind == 't' || kind == 'T') {
			text_symbols++;
			good = good && addr >= 0xffffffff80000000;
		}
		last = addr;
	}
	check(good);
	check(named > 3000 && text_symbols > 2000 && text_symbols < named && last > 0);
	/* Whoever may not see addresses sees names. */
	if (fork() == 0) {
		drop(USER);
		read_text("/proc/kallsyms");
		for (at = text; (line = next_line(&at)); named--)
			zero = zero && !strncmp(line, "0000000000000000 ", 17);
		check(zero);
		is(named, 0);
		_exit(0);
	}
	wait(NULL);
}

TEST(modules)
{
	struct stat st;

	works(stat("/proc/modules", &st));
	is(st.st_mode, S_IFREG | 0444);
}

/* The head of a table of CPUs: columns of 11 behind `width` blanks. */
static bool
cpu_head(const char *line, size_t width)
{
	char want[128];
	int n = snprintf(want, sizeof(want), "%*s", (int)width, "");

	for (int cpu = 0; cpu < 4; cpu++)
		n += snprintf(want + n, sizeof(want) - n, "CPU%-8d", cpu);
	return same(line, want);
}

TEST(softirqs)
{
	static const char *const names[] = {"HI",	"TIMER",    "NET_TX",  "NET_RX",  "BLOCK",
					    "IRQ_POLL", "TASKLET",  "SCHED",   "HRTIMER", "RCU"};
	unsigned long n[4], rcu = 0, all;
	char *at, *line;

	read_text("/proc/softirqs");
	at = text;
	if (!check((line = next_line(&at)) != NULL))
		return;
	cpu_head(line, 20);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char want[16];

		line = next_line(&at);
		if (!check(line != NULL))
			return;
		snprintf(want, sizeof(want), "%12s:", names[i]);
		ok(!strncmp(line, want, 13), "%s", names[i]);
		is(strlen(line), 13 + 4 * 11);
		is(sscanf(line + 13, " %lu %lu %lu %lu", &n[0], &n[1], &n[2], &n[3]), 4);
		rcu = n[0] + n[1] + n[2] + n[3];
	}
	check(rcu > 0);
	/* /proc/stat has the sums in the same order. */
	read_text("/proc/stat");
	line = strstr(text, "\nsoftirq ");
	if (check(line != NULL)) {
		is(sscanf(line, "\nsoftirq %lu %*u %*u %*u %*u %*u %*u %*u %*u %*u %lu\n", &all, &n[0]), 2);
		check(n[0] >= rcu && all >= n[0]);
	}
}

TEST(interrupts)
{
	static const char *const rows[] = {"NMI:", "LOC:", "SPU:", "RES:", "CAL:"};
	unsigned long n[4];
	char *at, *line, *timer;

	read_text("/proc/interrupts");
	/* A device's row: number, counts, controller, input and way, name. */
	line = strstr(text, " IO-APIC ");
	if (check(line != NULL)) {
		char chip[32], way[32], name[64];
		int irq;

		while (line > text && line[-1] != '\n')
			line--;
		is(sscanf(line, "%d: %lu %lu %lu %lu %31s %31s %63s", &irq, n, n + 1, n + 2, n + 3,
			  chip, way, name), 8);
		is(strcspn(line, ":"), 3);
		same(chip, "IO-APIC");
		check(strstr(way, "-edge") || strstr(way, "-fasteoi"));
	}
	at = text;
	if (check((line = next_line(&at)) != NULL))
		cpu_head(line, 11);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		timer = strstr(at, rows[i]);
		ok(timer && timer[-1] == '\n', "%s", rows[i]);
		is(timer ? sscanf(timer + 4, " %lu %lu %lu %lu  %*[A-Za-z]", n, n + 1, n + 2, n + 3) : 0, 4);
	}
	timer = strstr(at, "LOC:");
	check(strstr(at, "   Local timer interrupts\n") && strtoul(timer + 4, NULL, 10) > 0);
	check(strstr(at, "   Function call interrupts\n") && strstr(at, "\nERR:          0\n"));
}

TEST(schedstat)
{
	unsigned long v[9], stamp = 0;
	char *at, *line;
	int cpu, cpus = 0;

	read_text("/proc/schedstat");
	at = text;
	same(next_line(&at), "version 15");
	is(sscanf(next_line(&at), "timestamp %lu", &stamp), 1);
	check(stamp > 0);
	while ((line = next_line(&at))) {
		if (strncmp(line, "cpu", 3))
			continue;
		is(sscanf(line, "cpu%d %lu %lu %lu %lu %lu %lu %lu %lu %lu", &cpu, v, v + 1, v + 2,
			  v + 3, v + 4, v + 5, v + 6, v + 7, v + 8), 10);
		is(cpu, cpus++);
		is(v[1], 0);
		check(v[6] > 0 && v[8] > 0);
	}
	is(cpus, 4);
}

/* A child that sleeps in `how`: its number, once it does. */
static pid_t
sleeper(int how)
{
	int p[2];
	pid_t pid;

	pipe(p);
	pid = fork();
	if (pid == 0) {
		char c;

		if (how == 0)
			read(p[0], &c, 1);
		else if (how == 1)
			sleep(100);
		_exit(0);
	}
	until_state(pid, 'S');
	return pid;
}

TEST(sleeping)
{
	static const char *const where[] = {"pipe_read", "nanosleep"};
	char path[64], wchan[128];
	struct stat st;

	for (int how = 0; how < 2; how++) {
		pid_t pid = sleeper(how);
		char *at, *line;
		bool good = true, found = false;

		snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
		works(get(path, wchan, sizeof(wchan)));
		check(wchan[0] >= 'a' && wchan[0] <= 'z' && !strchr(wchan, '\n'));
		snprintf(path, sizeof(path), "/proc/%d/stack", pid);
		works(stat(path, &st));
		is(st.st_mode, S_IFREG | 0400);
		check(read_text(path) > 0);
		for (at = text; (line = next_line(&at));) {
			char name[128];
			unsigned long off, size;

			good = good && sscanf(line, "[<0>] %127[^+]+0x%lx/0x%lx", name, &off, &size) == 3 &&
			       off <= size;
			found = found || strstr(name, where[how]);
			/* The innermost is what wchan says. */
			if (line == text)
				same(name, wchan);
		}
		check(good);
		ok(found, "in %s", where[how]);
		if (fork() == 0) {
			drop(USER);
			fails(open(path, O_RDONLY), EACCES);
			snprintf(path, sizeof(path), "/proc/%d/wchan", pid);
			works(get(path, wchan, sizeof(wchan)));
			same(wchan, "0");
			_exit(0);
		}
		wait(NULL);
		kill(pid, SIGKILL);
		reap(pid);
	}
	/* Who reads about itself runs. */
	works(get("/proc/self/wchan", wchan, sizeof(wchan)));
	same(wchan, "0");
}
