/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * prctl, personality, uname and host names, sysinfo, getrusage, getrandom,
 * getcpu, membarrier, syslog, reboot's refusals, unknown calls.
 */
#include "tests/abi/abi.h"

#include <linux/membarrier.h>
#include <linux/reboot.h>
#include <sys/klog.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

TEST(prctl_name)
{
	char buf[32] = "", comm[32] = "";

	is(prctl(PR_SET_NAME, "0123456789abcdefgh"), 0);
	is(prctl(PR_GET_NAME, buf), 0);
	same(buf, "0123456789abcde");
	get("/proc/self/comm", comm, sizeof(comm));
	same(comm, "0123456789abcde\n");
	is(put("/proc/self/comm", "written"), 0);
	prctl(PR_GET_NAME, buf);
	same(buf, "written");
	fails(prctl(PR_SET_NAME, BAD), EFAULT);
	fails(prctl(PR_GET_NAME, BAD), EFAULT);
	fails(prctl(9999, 0, 0, 0, 0), EINVAL);
}

TEST(prctl_dumpable)
{
	is(prctl(PR_GET_DUMPABLE), 1);
	is(prctl(PR_SET_DUMPABLE, 0), 0);
	is(prctl(PR_GET_DUMPABLE), 0);
	fails(prctl(PR_SET_DUMPABLE, 2), EINVAL);
	is(prctl(PR_SET_DUMPABLE, 1), 0);
	in_child {
		setresuid(USER, USER, USER);
		is(prctl(PR_GET_DUMPABLE), 0);
	}
}

TEST(prctl_others)
{
	unsigned int u = 9;

	is(prctl(PR_GET_KEEPCAPS), 0);
	is(prctl(PR_SET_KEEPCAPS, 1), 0);
	is(prctl(PR_GET_KEEPCAPS), 1);
	fails(prctl(PR_SET_KEEPCAPS, 2), EINVAL);
	is(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	in_child {
		is(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
		is(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
		fails(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
		in_child {
			is(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
		}
	}
	fails(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
	is(prctl(PR_GET_TIMERSLACK), 50000);
	is(prctl(PR_SET_TIMERSLACK, 77777), 0);
	is(prctl(PR_GET_TIMERSLACK), 77777);
	is(prctl(PR_SET_TIMERSLACK, 0), 0);
	is(prctl(PR_GET_TIMERSLACK), 50000);
	is(prctl(PR_GET_TIMING), PR_TIMING_STATISTICAL);
	is(prctl(PR_SET_TIMING, PR_TIMING_STATISTICAL), 0);
	fails(prctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP), EINVAL);
	is(prctl(PR_GET_TSC, &u), 0);
	is(u, PR_TSC_ENABLE);
	/* A child has it from its parent. */
	is(prctl(PR_SET_TSC, PR_TSC_SIGSEGV), 0);
	in_child {
		u = 0;
		is(prctl(PR_GET_TSC, &u), 0);
		is(u, PR_TSC_SIGSEGV);
		is(prctl(PR_SET_TSC, PR_TSC_ENABLE), 0);
	}
	is(prctl(PR_GET_TSC, &u), 0);
	is(u, PR_TSC_SIGSEGV);
	is(prctl(PR_SET_TSC, PR_TSC_ENABLE), 0);
	is(prctl(PR_CAPBSET_READ, 0), 1);
	fails(prctl(PR_CAPBSET_READ, 64), EINVAL);
	is(prctl(PR_GET_SECCOMP), 0);
	is(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 0);
	is(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
	is(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0), 1);
}

TEST(prctl_title)
{
	char buf[64];
	ssize_t n;

	in_child {
		char *title = malloc(10);

		strcpy(title, "new title");
		is(prctl(PR_SET_MM, PR_SET_MM_ARG_START, title, 0, 0), 0);
		is(prctl(PR_SET_MM, PR_SET_MM_ARG_END, title + 9, 0, 0), 0);
		n = get("/proc/self/cmdline", buf, sizeof(buf));
		is(n, 9);
		is(memcmp(buf, "new title", 9), 0);
		drop(USER);
		fails(prctl(PR_SET_MM, PR_SET_MM_ARG_START, title, 0, 0),
		      EPERM);
	}
}

TEST(personality_call)
{
	struct utsname u;

	is(personality(0xffffffff), PER_LINUX);
	is(personality(ADDR_NO_RANDOMIZE), PER_LINUX);
	is(personality(0xffffffff), ADDR_NO_RANDOMIZE);
	in_child {
		is(personality(0xffffffff), ADDR_NO_RANDOMIZE);
	}
	is(personality(PER_LINUX32), ADDR_NO_RANDOMIZE);
	uname(&u);
	same(u.machine, "i686");
	is(personality(UNAME26), PER_LINUX32);
	uname(&u);
	check(!strncmp(u.release, "2.6.", 4));
	is(personality(PER_LINUX), UNAME26);
	uname(&u);
	same(u.machine, "x86_64");
}

TEST(no_randomization)
{
	char out[2][64] = { "", "" };
	int p[2];

	personality(ADDR_NO_RANDOMIZE);
	for (int i = 0; i < 2; i++) {
		pipe(p);
		in_child {
			dup2(p[1], 1);
			execv("/proc/self/exe", (char *[]){ "x", "@where",
							    NULL });
		}
		check(read(p[0], out[i], 63) > 0);
	}
	same(out[0], out[1]);
	personality(0);
	pipe(p);
	in_child {
		dup2(p[1], 1);
		execv("/proc/self/exe", (char *[]){ "x", "@where", NULL });
	}
	memset(out[0], 0, sizeof(out[0]));
	check(read(p[0], out[0], 63) > 0);
	check(strcmp(out[0], out[1]) != 0);
}

HELPER(where)
{
	char here;

	printf("%p %p", (void *)&here,
	       mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	fflush(stdout);
	return 0;
}

TEST(uname_call)
{
	struct utsname u;
	char buf[128];

	is(uname(&u), 0);
	same(u.sysname, "Linux");
	same(u.machine, "x86_64");
	check(u.release[0] == '6' && u.release[1] == '.');
	check(strstr(u.version, "SMP") != NULL);
	get("/proc/sys/kernel/ostype", buf, sizeof(buf));
	same(buf, "Linux\n");
	get("/proc/sys/kernel/osrelease", buf, sizeof(buf));
	check(!strncmp(buf, u.release, strlen(u.release)));
	fails(uname(BAD), EFAULT);
}

TEST(host_names)
{
	struct utsname u, old;
	char name[70];

	uname(&old);
	is(sethostname("tessera-test", 12), 0);
	uname(&u);
	same(u.nodename, "tessera-test");
	get("/proc/sys/kernel/hostname", name, sizeof(name));
	same(name, "tessera-test\n");
	memset(name, 'h', sizeof(name));
	fails(sethostname(name, 65), EINVAL);
	fails(sethostname(name, -1), EINVAL);
	is(sethostname(name, 64), 0);
	uname(&u);
	is(strlen(u.nodename), 64);
	fails(syscall(SYS_sethostname, BAD, 5), EFAULT);
	is(setdomainname("dom", 3), 0);
	uname(&u);
	same(u.domainname, "dom");
	in_child {
		drop(USER);
		fails(sethostname("x", 1), EPERM);
		fails(setdomainname("x", 1), EPERM);
	}
	sethostname(old.nodename, strlen(old.nodename));
	setdomainname(old.domainname, strlen(old.domainname));
}

/* The modes of settings bind root too, and nobody changes them. */
TEST(setting_modes)
{
	fails(open("/proc/sys/vm/drop_caches", O_RDONLY), EACCES);
	fails(open("/proc/sys/vm/drop_caches", O_RDWR), EACCES);
	fails(open("/proc/sys/kernel/ostype", O_WRONLY), EACCES);
	fails(open("/proc/sys/kernel/hostname", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST);
	fails(chmod("/proc/sys/vm/drop_caches", 0600), EPERM);
	fails(chown("/proc/sys/vm/drop_caches", 1, 1), EPERM);
	is(access("/proc/sys/kernel/hostname", R_OK | W_OK), 0);
	fails(access("/proc/sys/kernel/ostype", W_OK), EACCES);
	fails(access("/proc/sys/kernel/ostype", X_OK), EACCES);
	in_child {
		drop(USER);
		works(open("/proc/sys/kernel/hostname", O_RDONLY));
		fails(open("/proc/sys/kernel/hostname", O_WRONLY), EACCES);
		fails(open("/proc/sys/vm/drop_caches", O_WRONLY), EACCES);
	}
}

TEST(sysinfo_call)
{
	struct sysinfo a, b;
	long total = field("/proc/meminfo", "MemTotal");
	char *m;

	is(sysinfo(&a), 0);
	is(a.mem_unit, 1);
	is(a.totalram / 1024, total);
	check(a.freeram > 0 && a.freeram < a.totalram);
	check(a.procs > 1 && a.procs < 10000);
	check(labs(a.uptime - now_ns() / NSEC) <= 2);
	is(a.totalswap, 0);
	m = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	check(m != MAP_FAILED);
	is(sysinfo(&b), 0);
	check(a.freeram - b.freeram >= 32 << 20);
	fails(sysinfo(BAD), EFAULT);
}

TEST(usage)
{
	struct rusage a, b;
	char *m;

	is(getrusage(RUSAGE_SELF, &a), 0);
	m = mmap(NULL, 100 * 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(m, 100 * 4096, MADV_NOHUGEPAGE);
	for (int i = 0; i < 100; i++)
		m[i * 4096] = 1;
	is(getrusage(RUSAGE_SELF, &b), 0);
	check(b.ru_minflt - a.ru_minflt >= 100);
	check(b.ru_maxrss >= 400 && b.ru_maxrss >= a.ru_maxrss);
	a = b;
	for (int i = 0; i < 20; i++)
		msleep(5);
	getrusage(RUSAGE_THREAD, &b);
	getrusage(RUSAGE_SELF, &b);
	check(b.ru_nvcsw - a.ru_nvcsw >= 10);
	fails(getrusage(9, &a), EINVAL);
	fails(syscall(SYS_getrusage, RUSAGE_SELF, BAD), EFAULT);
}

TEST(random_call)
{
	unsigned char a[256], b[256];
	int ones = 0;

	is(getrandom(a, 256, 0), 256);
	is(getrandom(b, 256, GRND_NONBLOCK), 256);
	check(memcmp(a, b, 256) != 0);
	for (int i = 0; i < 256; i++)
		ones += __builtin_popcount(a[i]);
	check(ones > 850 && ones < 1200);
	is(getrandom(a, 10, GRND_RANDOM), 10);
	is(getrandom(a, 10, GRND_INSECURE), 10);
	fails(getrandom(a, 10, 8), EINVAL);
	fails(getrandom(a, 10, GRND_RANDOM | GRND_INSECURE), EINVAL);
	fails(getrandom(BAD, 10, 0), EFAULT);
	is(getrandom(a, 0, 0), 0);
	in_child {
		getrandom(b, 32, 0);
		_exit(memcmp(a, b, 32) == 0);
	}
}

TEST(membarrier_call)
{
	int q = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	if (q < 0 && errno == ENOSYS) {
		skip("no membarrier");
		return;
	}
	check(q & MEMBARRIER_CMD_GLOBAL);
	is(syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0), 0);
	fails(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0),
	      EPERM);
	is(syscall(SYS_membarrier,
		   MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0), 0);
	is(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), 0);
	check(q & MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE);
	fails(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0),
	      EPERM);
	is(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0), 0);
	is(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0), 0);
	fails(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 1, 0),
	      EINVAL);
	fails(syscall(SYS_membarrier, 1 << 20, 0, 0), EINVAL);
	fails(syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 77, 0), EINVAL);
}

TEST(log_call)
{
	static char buf[1 << 20];
	int fd, n;

	fd = works(open("/dev/kmsg", O_WRONLY));
	is(write(fd, "<6>abi: marker 12345\n", 21), 21);
	n = klogctl(10, NULL, 0);
	check(n >= 4096);
	n = klogctl(3, buf, sizeof(buf) - 1);
	check(n > 0);
	buf[n > 0 ? n : 0] = '\0';
	check(strstr(buf, "abi: marker 12345\n") != NULL);
	check(buf[0] == '<');
	check(klogctl(9, NULL, 0) > 0);
	fails(klogctl(3, NULL, 10), EINVAL);
	fails(klogctl(3, buf, -1), EINVAL);
	is(klogctl(3, buf, 0), 0);
	fails(klogctl(99, NULL, 0), EINVAL);
	fails(klogctl(8, NULL, 0), EINVAL);
	fails(klogctl(8, NULL, 9), EINVAL);
	in_child {
		drop(USER);
		fails(klogctl(5, NULL, 0), EPERM);
		fails(klogctl(8, NULL, 4), EPERM);
	}
}

TEST(reboot_refusals)
{
	fails(syscall(SYS_reboot, 1, LINUX_REBOOT_MAGIC2,
		      LINUX_REBOOT_CMD_CAD_OFF, NULL), EINVAL);
	fails(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, 1,
		      LINUX_REBOOT_CMD_CAD_OFF, NULL), EINVAL);
	fails(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		      0x12345678, NULL), EINVAL);
	is(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2A,
		   LINUX_REBOOT_CMD_CAD_OFF, NULL), 0);
	is(reboot(RB_ENABLE_CAD), 0);
	is(reboot(RB_DISABLE_CAD), 0);
	fails(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		      LINUX_REBOOT_CMD_RESTART2, BAD), EFAULT);
	in_child {
		drop(USER);
		fails(reboot(RB_AUTOBOOT), EPERM);
		fails(reboot(RB_DISABLE_CAD), EPERM);
	}
}

TEST(unknown_calls)
{
	fails(syscall(9999), ENOSYS);
	fails(syscall(-1), ENOSYS);
	fails(syscall(460), ENOSYS);
	/* Numbers that Linux has given up: uselib, create_module, nfsservctl,
	 * _sysctl, vserver. */
	fails(syscall(134), ENOSYS);
	fails(syscall(174), ENOSYS);
	fails(syscall(180), ENOSYS);
	fails(syscall(156), ENOSYS);
	fails(syscall(236), ENOSYS);
}
