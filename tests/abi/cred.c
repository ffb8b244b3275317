/* SPDX-License-Identifier: BSD-2-Clause */
/* User and group ids, capabilities, set-user-id programs. */
#include "tests/abi/abi.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

#define A 1001
#define B 1002
#define C 1003

static void
uids(uid_t r, uid_t e, uid_t s, const char *what)
{
	uid_t gr = -2, ge = -2, gs = -2;

	getresuid(&gr, &ge, &gs);
	if (!ok(gr == r && ge == e && gs == s, "%s: uids %d %d %d", what,
		(int)r, (int)e, (int)s))
		diag("got %d %d %d", gr, ge, gs);
}

static void
gids(gid_t r, gid_t e, gid_t s, const char *what)
{
	gid_t gr = -2, ge = -2, gs = -2;

	getresgid(&gr, &ge, &gs);
	if (!ok(gr == r && ge == e && gs == s, "%s: gids %d %d %d", what,
		(int)r, (int)e, (int)s))
		diag("got %d %d %d", gr, ge, gs);
}

/* The raw calls: the C library's wrappers signal every thread. */
#define SETUID(u) syscall(SYS_setuid, (long)(u))
#define SETREUID(r, e) syscall(SYS_setreuid, (long)(r), (long)(e))
#define SETRESUID(r, e, s) \
	syscall(SYS_setresuid, (long)(r), (long)(e), (long)(s))
#define SETGID(u) syscall(SYS_setgid, (long)(u))
#define SETREGID(r, e) syscall(SYS_setregid, (long)(r), (long)(e))
#define SETRESGID(r, e, s) \
	syscall(SYS_setresgid, (long)(r), (long)(e), (long)(s))

TEST(setuid_table)
{
	uids(0, 0, 0, "at the start");
	in_child {
		is(SETUID(A), 0);
		uids(A, A, A, "setuid by root");
		fails(SETUID(0), EPERM);
		fails(SETUID(B), EPERM);
		is(SETUID(A), 0);
	}
	in_child {
		is(SETRESUID(A, B, C), 0);
		uids(A, B, C, "setresuid by root");
		is(SETUID(A), 0);
		uids(A, A, C, "setuid to the real id");
		is(SETUID(C), 0);
		uids(A, C, C, "setuid to the saved id");
		fails(SETUID(B), EPERM);
	}
	fails(SETUID(-1), EINVAL);
}

TEST(setreuid_table)
{
	in_child {
		is(SETREUID(A, B), 0);
		uids(A, B, B, "setreuid by root");
		is(SETREUID(B, A), 0);
		uids(B, A, A, "swapped");
		fails(SETREUID(C, -1), EPERM);
		fails(SETREUID(-1, C), EPERM);
	}
	in_child {
		is(SETREUID(-1, B), 0);
		uids(0, B, B, "effective only: saved follows");
		is(SETREUID(-1, 0), 0);
		uids(0, 0, B, "and back: equal to the real id, saved stays");
	}
	in_child {
		is(SETRESUID(A, B, C), 0);
		fails(SETREUID(C, -1), EPERM);
		is(SETREUID(-1, C), 0);
		uids(A, C, C, "effective from saved");
		is(SETREUID(-1, A), 0);
		uids(A, A, C, "effective from real keeps the saved");
		is(SETREUID(-1, -1), 0);
	}
}

TEST(setresuid_table)
{
	in_child {
		is(SETRESUID(-1, A, -1), 0);
		uids(0, A, 0, "effective alone");
		fails(SETRESUID(B, -1, -1), EPERM);
		is(SETRESUID(A, 0, A), 0);
		uids(A, 0, A, "any of the three");
		is(SETRESUID(B, B, B), 0);
		fails(SETRESUID(0, -1, -1), EPERM);
		is(SETRESUID(-1, -1, -1), 0);
	}
	fails(syscall(SYS_getresuid, BAD, BAD, BAD), EFAULT);
}

TEST(group_tables)
{
	in_child {
		is(SETRESGID(A, B, C), 0);
		gids(A, B, C, "setresgid by root");
		is(SETRESUID(USER, USER, USER), 0);
		is(SETGID(C), 0);
		gids(A, C, C, "setgid to the saved id");
		is(SETGID(A), 0);
		gids(A, A, C, "setgid to the real id");
		fails(SETGID(B), EPERM);
		fails(SETREGID(B, -1), EPERM);
		is(SETREGID(-1, A), 0);
		fails(SETRESGID(0, -1, -1), EPERM);
	}
	in_child {
		is(SETGID(A), 0);
		gids(A, A, A, "setgid by root");
		is(SETREGID(B, C), 0);
		gids(B, C, C, "setregid by root");
	}
	fails(SETGID(-1), EINVAL);
}

TEST(filesystem_ids)
{
	struct stat st = { 0 };

	put("f", "");
	chmod("f", 0600);
	in_child {
		mkdir("open", 0777);
		chmod("open", 0777);
		is(setfsuid(A), 0);
		is(setfsuid(-1), A);
		fails(open("f", O_RDONLY), EACCES);
		is(put("open/f", ""), 0);
		stat("open/f", &st);
		is(st.st_uid, A);
		is(kill(1, 0), 0);
		/* The next change of the effective id brings it along. */
		is(SETRESUID(-1, B, -1), 0);
		is(setfsuid(-1), B);
		is(setfsuid(C), B);
		is(setfsuid(-1), B);
		is(setfsgid(-1), 0);
	}
}

TEST(groups)
{
	gid_t in[] = { 5, 9, 7 }, out[16];
	static gid_t many[65537];

	is(setgroups(3, in), 0);
	is(getgroups(0, NULL), 3);
	is(getgroups(16, out), 3);
	check(out[0] + out[1] + out[2] == 21);
	fails(getgroups(2, out), EINVAL);
	fails(getgroups(-1, out), EINVAL);
	fails(setgroups(65537, many), EINVAL);
	is(setgroups(65536, many), 0);
	is(getgroups(0, NULL), 65536);
	fails(syscall(SYS_setgroups, 2, BAD), EFAULT);
	is(setgroups(3, in), 0);
	in_child {
		is(getgroups(0, NULL), 3);
		SETRESUID(A, A, A);
		fails(setgroups(0, NULL), EPERM);
	}
	is(setgroups(0, NULL), 0);
	is(getgroups(16, out), 0);
}

static int
caps(uint64_t *e, uint64_t *p, uint64_t *i)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &h, d))
		return -1;
	*e = d[0].effective | (uint64_t)d[1].effective << 32;
	*p = d[0].permitted | (uint64_t)d[1].permitted << 32;
	*i = d[0].inheritable | (uint64_t)d[1].inheritable << 32;
	return 0;
}

static long
set_caps(uint64_t e, uint64_t p, uint64_t i)
{
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = {
		{ e, p, i }, { e >> 32, p >> 32, i >> 32 }
	};

	return syscall(SYS_capset, &h, d);
}

static const uint64_t all_caps = (1UL << 41) - 1;

TEST(capability_calls)
{
	struct __user_cap_header_struct h = { 0x12345678, 0 };
	struct __user_cap_data_struct d[2];
	uint64_t e, p, i;

	is(caps(&e, &p, &i), 0);
	is(e, all_caps);
	is(p, all_caps);
	is(i, 0);
	fails(syscall(SYS_capget, &h, d), EINVAL);
	is(h.version, _LINUX_CAPABILITY_VERSION_3);
	h.version = 0;
	is(syscall(SYS_capget, &h, NULL), 0);
	h.pid = 4999999;
	fails(syscall(SYS_capget, &h, d), ESRCH);
	h.pid = -1;
	fails(syscall(SYS_capget, &h, d), EINVAL);
	h.pid = 1;
	is(syscall(SYS_capget, &h, d), 0);
	fails(syscall(SYS_capset, &h, d), EPERM);
	fails(syscall(SYS_capget, BAD, d), EFAULT);
	in_child {
		is(set_caps(0, all_caps, 0), 0);
		fails(chroot("."), EPERM);
		fails(SETUID(A), EPERM);
		is(set_caps(1 << CAP_SYS_CHROOT, all_caps, 0), 0);
		is(chroot("."), 0);
		is(set_caps(0, 1 << CAP_SETUID, 0), 0);
		fails(set_caps(0, all_caps, 0), EPERM);
		fails(set_caps(1 << CAP_SYS_CHROOT, 1 << CAP_SETUID, 0), EPERM);
	}
}

/* What becomes of capabilities when ids change. */
TEST(capabilities_and_ids)
{
	uint64_t e, p, i;

	in_child {
		SETRESUID(-1, A, -1);
		caps(&e, &p, &i);
		is(e, 0);
		is(p, all_caps);
		SETRESUID(-1, 0, -1);
		caps(&e, &p, &i);
		is(e, all_caps);
		SETRESUID(A, A, A);
		caps(&e, &p, &i);
		is(e, 0);
		is(p, 0);
	}
	in_child {
		is(prctl(PR_SET_KEEPCAPS, 1), 0);
		SETRESUID(A, A, A);
		caps(&e, &p, &i);
		is(e, 0);
		is(p, all_caps);
		is(set_caps(1 << CAP_SETUID, p, 0), 0);
		is(SETUID(0), 0);
	}
	in_child {
		is(prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP), 0);
		SETRESUID(A, A, A);
		caps(&e, &p, &i);
		is(e, all_caps);
	}
}

TEST(bounding_and_ambient)
{
	uint64_t e, p, i;

	in_child {
		is(prctl(PR_CAPBSET_READ, CAP_SYS_TIME), 1);
		is(prctl(PR_CAPBSET_DROP, CAP_SYS_TIME), 0);
		is(prctl(PR_CAPBSET_READ, CAP_SYS_TIME), 0);
		caps(&e, &p, &i);
		is(e, all_caps);
		fails(prctl(PR_CAPBSET_DROP, 64), EINVAL);
		fails(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN,
			    0, 0), EPERM);
		is(set_caps(e, p, 1 << CAP_CHOWN), 0);
		is(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0),
		   0);
		is(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0),
		   1);
		is(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), 0);
		is(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0),
		   0);
		SETRESUID(A, A, A);
		fails(prctl(PR_CAPBSET_DROP, CAP_CHOWN), EPERM);
	}
}

/* Each capability on its own opens its door and no other. */
TEST(single_capabilities)
{
	put("f", "");
	chmod("f", 0);
	in_child {
		is(prctl(PR_SET_KEEPCAPS, 1), 0);
		SETRESUID(A, A, A);
		set_caps(1 << CAP_DAC_READ_SEARCH, all_caps, 0);
		works(open("f", O_RDONLY));
		fails(open("f", O_WRONLY), EACCES);
		set_caps(1 << CAP_DAC_OVERRIDE, all_caps, 0);
		works(open("f", O_RDWR));
		fails(chmod("f", 0600), EPERM);
		set_caps(1 << CAP_FOWNER, all_caps, 0);
		is(chmod("f", 0400), 0);
		fails(chown("f", A, -1), EPERM);
		set_caps(1 << CAP_CHOWN, all_caps, 0);
		is(chown("f", A, -1), 0);
		fails(kill(1, 0), EPERM);
		set_caps(1 << CAP_KILL, all_caps, 0);
		is(kill(1, 0), 0);
		fails(setgroups(0, NULL), EPERM);
		set_caps(1 << CAP_SETGID, all_caps, 0);
		is(setgroups(0, NULL), 0);
		fails(mknod("dev", S_IFCHR, 0x103), EACCES);
		set_caps(1UL << CAP_MKNOD | 1 << CAP_DAC_OVERRIDE, all_caps, 0);
		is(mknod("dev", S_IFCHR, 0x103), 0);
	}
}

/* A copy of this program owned by @owner with mode @mode. */
static void
install(const char *path, uid_t owner, gid_t group, mode_t mode)
{
	static char image[8 << 20];
	ssize_t n = get("/proc/self/exe", image, sizeof(image));
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);

	write(fd, image, n);
	close(fd);
	chown(path, owner, group);
	chmod(path, mode);
}

HELPER(show)
{
	uid_t u[3];
	gid_t g[3];

	getresuid(u, u + 1, u + 2);
	getresgid(g, g + 1, g + 2);
	printf("%d %d %d %d %d %d %lu", u[0], u[1], u[2], g[0], g[1], g[2],
	       getauxval(AT_SECURE));
	fflush(stdout);
	return 0;
}

static const char *
run_as(const char *path, uid_t uid, bool no_new_privs)
{
	static char buf[128];
	char *argv[] = { "x", "@show", NULL };
	ssize_t n;
	int p[2];
	pid_t c;

	pipe(p);
	c = fork();
	if (!c) {
		drop(uid);
		if (no_new_privs)
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		dup2(p[1], 1);
		execv(path, argv);
		_exit(1);
	}
	close(p[1]);
	reap(c);
	n = read(p[0], buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	close(p[0]);
	return buf;
}

TEST(set_user_id)
{
	install("plain", 0, 0, 0755);
	install("suid", B, C, 04755);
	install("sgid", B, C, 02755);
	install("both", 0, C, 06755);
	same(run_as("plain", A, false), "1001 1001 1001 1001 1001 1001 0");
	same(run_as("suid", A, false), "1001 1002 1002 1001 1001 1001 1");
	same(run_as("sgid", A, false), "1001 1001 1001 1001 1003 1003 1");
	same(run_as("both", A, false), "1001 0 0 1001 1003 1003 1");
	same(run_as("both", A, true), "1001 1001 1001 1001 1001 1001 0");
	/* Without group execution the bit means something else. */
	chmod("sgid", 02745);
	same(run_as("sgid", A, false), "1001 1001 1001 1001 1001 1001 0");
	mkdir("m", 0755);
	works(mount("t", "m", "tmpfs", MS_NOSUID, NULL));
	install("m/suid", B, C, 04755);
	same(run_as("m/suid", A, false), "1001 1001 1001 1001 1001 1001 0");
	is(umount2("m", MNT_DETACH), 0);
}

TEST(status_file)
{
	char buf[4096];

	in_child {
		setgroups(2, (gid_t[]){ 3, 4 });
		SETRESGID(A, B, C);
		SETRESUID(A, B, C);
		get("/proc/self/status", buf, sizeof(buf));
		check(strstr(buf, "Uid:\t1001\t1002\t1003\t1002\n") != NULL);
		check(strstr(buf, "Gid:\t1001\t1002\t1003\t1002\n") != NULL);
		check(strstr(buf, "Groups:\t3 4 \n") != NULL);
		check(strstr(buf, "CapEff:\t0000000000000000\n") != NULL);
		check(strstr(buf, "CapBnd:\t000001ffffffffff\n") != NULL);
		check(strstr(buf, "NoNewPrivs:\t0\n") != NULL);
	}
	get("/proc/self/status", buf, sizeof(buf));
	check(strstr(buf, "CapEff:\t000001ffffffffff\n") != NULL);
}

/* Files made take the effective ids; /proc entries follow too. */
TEST(ownership)
{
	struct stat st;
	char path[64];
	pid_t c;

	chmod(".", 0777);
	in_child {
		SETRESGID(A, B, C);
		SETRESUID(A, B, C);
		put("mine", "");
		stat("mine", &st);
		is(st.st_uid, B);
		is(st.st_gid, B);
	}
	c = fork();
	if (!c) {
		drop(USER);
		execv("/proc/self/exe", (char *[]){ "x", "@wait", NULL });
		_exit(1);
	}
	snprintf(path, sizeof(path), "/proc/%d/comm", c);
	for (int i = 0; i < 2000; i++) {
		if (!stat(path, &st) && st.st_uid == USER)
			break;
		msleep(1);
	}
	is(st.st_uid, USER);
	kill(c, SIGKILL);
	reap(c);
}

HELPER(wait)
{
	for (;;)
		pause();
	return 0;
}
