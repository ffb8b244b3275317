/* SPDX-License-Identifier: BSD-2-Clause */
/* System V shared memory. */
#include "tests/abi/sysv.h"

#include <pthread.h>
#include <sys/resource.h>

#ifndef SHM_STAT_ANY
#define SHM_STAT_ANY 15
#endif
#define K4 4096UL
#define FAILED ((void *)-1)

static int
segment(size_t size)
{
	return shmget(IPC_PRIVATE, size, IPC_CREAT | 0600);
}

static long
attached(int id)
{
	struct shmid_ds ds;

	return shmctl(id, IPC_STAT, &ds) ? -errno : (long)ds.shm_nattch;
}

static bool
maps_has(const char *text)
{
	static char buf[1 << 16];

	get("/proc/self/maps", buf, sizeof(buf));
	return strstr(buf, text) != NULL;
}

TEST(get_and_keys)
{
	int id, other;

	id = works(shmget(KEY, 10000, IPC_CREAT | IPC_EXCL | 0640));
	is(shmget(KEY, 10000, 0), id);
	is(shmget(KEY, 0, 0), id);
	is(shmget(KEY, 1, IPC_CREAT | 0600), id);
	fails(shmget(KEY, 10001, 0), EINVAL);
	fails(shmget(KEY, 10000, IPC_CREAT | IPC_EXCL | 0640), EEXIST);
	/* Bits behind the permissions are not asked for; the file's owner is root here. */
	fails(shmget(KEY + 1, 10000, 0), ENOENT);
	fails(shmget(KEY + 1, 0, IPC_CREAT | 0600), EINVAL);
	fails(shmget(IPC_PRIVATE, 0, 0600), EINVAL);
	other = works(shmget(IPC_PRIVATE, 1, 0600));
	check(other != id);
	is(shmctl(other, IPC_RMID, NULL), 0);
	is(shmctl(id, IPC_RMID, NULL), 0);
	fails(shmget(KEY, 10000, 0), ENOENT);
	fails(shmctl(id, IPC_RMID, NULL), EINVAL);
	fails(shmctl(-1, IPC_RMID, NULL), EINVAL);
	id = works(shmget(KEY, 5, IPC_CREAT | 0600));
	check(id != other);
	is(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(ids_go_round)
{
	int first = works(segment(1)), id = first;

	for (int i = 0; i < 200; i++) {
		shmctl(id, IPC_RMID, NULL);
		id = segment(1);
		if (id == first)
			break;
	}
	check(id != first);
	check(id > 0x7fff);
	fails(shmctl(first, IPC_RMID, NULL), EINVAL);
	is(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(status)
{
	struct shmid_ds ds;
	time_t now = time(NULL);
	int id = works(shmget(KEY, 5000, IPC_CREAT | 0642));
	long v[20];
	char *m;

	memset(&ds, 0xff, sizeof(ds));
	is(shmctl(id, IPC_STAT, &ds), 0);
	is(ds.shm_perm.__key, KEY);
	is(ds.shm_perm.uid, 0);
	is(ds.shm_perm.cuid, 0);
	is(ds.shm_perm.gid, 0);
	is(ds.shm_perm.cgid, 0);
	is(ds.shm_perm.mode, 0642);
	is(ds.shm_perm.__seq, id >> 15);
	is(ds.shm_segsz, 5000);
	is(ds.shm_nattch, 0);
	is(ds.shm_cpid, getpid());
	is(ds.shm_lpid, 0);
	is(ds.shm_atime, 0);
	is(ds.shm_dtime, 0);
	check(ds.shm_ctime >= now && ds.shm_ctime <= now + 5);
	m = shmat(id, NULL, 0);
	check(m != FAILED);
	is(shmctl(id, IPC_STAT, &ds), 0);
	is(ds.shm_nattch, 1);
	is(ds.shm_lpid, getpid());
	check(ds.shm_atime >= now);
	is(ds.shm_dtime, 0);
	m[0] = 1;
	is(proc_row("shm", id, v), 16);
	is(v[0], KEY);
	is(v[2], 0642);
	is(v[3], 5000);
	is(v[4], getpid());
	is(v[5], getpid());
	is(v[6], 1);
	is(v[11], ds.shm_atime);
	is(v[14], K4);
	is(v[15], 0);
	is(shmdt(m), 0);
	is(shmctl(id, IPC_STAT, &ds), 0);
	is(ds.shm_nattch, 0);
	check(ds.shm_dtime >= now);
	fails(shmctl(id, IPC_STAT, BAD), EFAULT);
	fails(shmctl(id, 99, &ds), EINVAL);
	/* As a program for 32 bits would ask. */
	fails(syscall(SYS_shmctl, id, IPC_STAT | 0x100, &ds), EINVAL);
	is(shmctl(id, IPC_RMID, NULL), 0);
	fails(shmctl(id, IPC_STAT, &ds), EINVAL);
	is(proc_row("shm", id, v), 0);
}

TEST(contents_are_shared)
{
	int id = works(segment(3 * K4));
	char *m = shmat(id, NULL, 0), *n = shmat(id, NULL, 0);

	check(m != FAILED && n != FAILED && m != n);
	for (size_t i = 0; i < 3 * K4; i++)
		if (m[i]) {
			ok(false, "byte %zu is not zero", i);
			break;
		}
	m[K4 + 5] = 'x';
	is(n[K4 + 5], 'x');
	in_child {
		is(m[K4 + 5], 'x');
		m[7] = 'c';
	}
	is(n[7], 'c');
	is(shmdt(m), 0);
	is(shmdt(n), 0);
	/* They stay without anybody. */
	m = shmat(id, NULL, 0);
	is(m[7], 'c');
	is(shmctl(id, IPC_RMID, NULL), 0);
	is(m[7], 'c');
}

TEST(removal_waits_for_the_last)
{
	struct shmid_ds ds;
	int id = works(shmget(KEY, K4, IPC_CREAT | 0600));
	long v[20];
	char *m = shmat(id, NULL, 0);

	is(shmctl(id, IPC_RMID, NULL), 0);
	is(shmctl(id, IPC_STAT, &ds), 0);
	is(ds.shm_perm.mode, 0600 | SHM_DEST);
	is(ds.shm_perm.__key, IPC_PRIVATE);
	is(ds.shm_nattch, 1);
	is(proc_row("shm", id, v), 16);
	is(v[2], 01600);
	fails(shmget(KEY, K4, 0), ENOENT);
	/* By number it can still be attached. */
	check(shmat(id, NULL, 0) != FAILED);
	is(attached(id), 2);
	is(shmctl(id, IPC_RMID, NULL), 0);
	in_child {
		is(attached(id), 4);
		is(m[0], 0);
	}
	is(attached(id), 2);
	is(shmdt(m), 0);
	is(attached(id), 1);
	in_child
		execl("/proc/self/exe", "shm", "@nothing", NULL);
	is(attached(id), 1);
	in_child {
		struct shmid_ds d;

		shmctl(id, IPC_STAT, &d);
		is(d.shm_nattch, 2);
		/* A fork counts as an attachment by the parent. */
		is(d.shm_lpid, getppid());
	}
}

HELPER(nothing)
{
	return 0;
}

HELPER(count)
{
	/* What was attached before exec is not any more. */
	return attached(atoi(argv[2])) == atoi(argv[3]) ? 0 : 1;
}

TEST(exec_and_exit_detach)
{
	int id = works(segment(K4));
	struct shmid_ds ds;
	char number[16];
	pid_t c;

	check(shmat(id, NULL, 0) != FAILED);
	snprintf(number, sizeof(number), "%d", id);
	in_child {
		is(attached(id), 2);
		execl("/proc/self/exe", "shm", "@count", number, "1", NULL);
	}
	c = fork();
	if (!c) {
		shmat(id, NULL, 0);
		_exit(0);
	}
	is(reap(c), 0);
	is(shmctl(id, IPC_STAT, &ds), 0);
	is(ds.shm_nattch, 1);
	is(ds.shm_lpid, c);
	check(ds.shm_dtime != 0);
	c = fork();
	if (!c) {
		pause();
		_exit(0);
	}
	is(attached(id), 2);
	kill(c, SIGKILL);
	is(reap(c), -SIGKILL);
	is(attached(id), 1);
	/* A vfork shares the space, hence the attachment. */
	c = vfork();
	if (!c)
		_exit(attached(id));
	is(reap(c), 1);
	is(attached(id), 1);
	is(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(detach)
{
	int id = works(segment(4 * K4));
	char *m = shmat(id, NULL, 0);
	char *anon;

	fails(shmdt(m + 1), EINVAL);
	fails(shmdt(m + K4), EINVAL);
	is(attached(id), 1);
	is(shmdt(m), 0);
	fails(shmdt(m), EINVAL);
	fails(shmdt(NULL), EINVAL);
	anon = mmap(NULL, K4, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fails(shmdt(anon), EINVAL);
	is(attached(id), 0);
	/* munmap of all of it is a detachment as well. */
	m = shmat(id, NULL, 0);
	is(munmap(m, 4 * K4), 0);
	is(attached(id), 0);
	fails(shmdt(m), EINVAL);
	/* shmdt finds what is left. */
	m = shmat(id, NULL, 0);
	is(munmap(m, K4), 0);
	is(attached(id), 1);
	is(shmdt(m), 0);
	is(attached(id), 0);
	m = shmat(id, NULL, 0);
	is(munmap(m + K4, K4), 0);
	is(shmdt(m), 0);
	is(attached(id), 0);
	fails(msync(m, 1, MS_SYNC), ENOMEM);
	fails(msync(m + 2 * K4, 1, MS_SYNC), ENOMEM);
	/* So is mapping something else there. */
	m = shmat(id, NULL, 0);
	check(mmap(m, 4 * K4, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == m);
	is(attached(id), 0);
	fails(shmdt(m), EINVAL);
	is(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(remapped)
{
	int id = works(segment(2 * K4));
	char *m = shmat(id, NULL, 0), *n, *to;

	m[K4] = 'y';
	to = mmap(NULL, 8 * K4, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	n = mremap(m, 2 * K4, 2 * K4, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	check(n == to);
	is(attached(id), 1);
	is(n[K4], 'y');
	fails(shmdt(m), EINVAL);
	is(attached(id), 1);
	is(shmdt(n), 0);
	is(attached(id), 0);
	is(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(dontfork)
{
	int id = works(segment(K4));
	char *m = shmat(id, NULL, 0);

	is(madvise(m, K4, MADV_DONTFORK), 0);
	in_child {
		is(attached(id), 1);
		fails(shmdt(m), EINVAL);
	}
	is(attached(id), 1);
	is(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(addresses)
{
	int id = works(segment(2 * K4));
	char *m = mmap(NULL, 8 * K4, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap(m, 8 * K4);
	fails((long)shmat(id, m + 1, 0), EINVAL);
	check(shmat(id, m + 1, SHM_RND) == m);
	/* What is there stays, but for SHM_REMAP. */
	fails((long)shmat(id, m, 0), EINVAL);
	fails((long)shmat(id, m - K4, 0), EINVAL);
	fails((long)shmat(id, m + K4, 0), EINVAL);
	is(attached(id), 1);
	m[0] = 'a';
	check(shmat(id, m + K4, SHM_REMAP) == m + K4);
	is(m[K4], 'a');
	is(attached(id), 2);
	check(shmat(id, m, SHM_REMAP) == m);
	is(m[0], 'a');
	is(shmdt(m), 0);
	fails((long)shmat(id, NULL, SHM_REMAP), EINVAL);
	fails((long)shmat(id, (void *)1, SHM_RND | SHM_REMAP), EINVAL);
	fails((long)shmat(id, (void *)(1UL << 63), 0), ENOMEM);
	fails((long)shmat(-1, NULL, 0), EINVAL);
	fails((long)shmat(id + 1, NULL, 0), EINVAL);
	is(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(protection)
{
	int id = works(segment(K4));
	char *m = shmat(id, NULL, SHM_RDONLY), *n;

	is(m[0], 0);
	in_child {
		handle(SIGSEGV, _exit, 0);
		pid_t c = fork();
		if (!c) {
			m[0] = 1;
			_exit(0);
		}
		is(reap(c), SIGSEGV);
	}
	fails(mprotect(m, K4, PROT_READ | PROT_WRITE), EACCES);
	is(shmdt(m), 0);
	m = shmat(id, NULL, 0);
	is(mprotect(m, K4, PROT_READ), 0);
	is(mprotect(m, K4, PROT_READ | PROT_WRITE), 0);
	in_child {
		drop(USER);
		int own = segment(K4);
		fails((long)shmat(own, NULL, SHM_EXEC), EACCES);
		is(shmctl(own, IPC_RMID, NULL), 0);
	}
	is(shmctl(id, IPC_RMID, NULL), 0);
	id = works(shmget(IPC_PRIVATE, K4, 0700));
	n = shmat(id, NULL, SHM_EXEC);
	check(n != FAILED);
	*n = (char)0xc3;
	((void (*)(void))(void *)n)();
	is(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(maps_name)
{
	int id = works(segment(K4)), named = works(shmget(0x1234abcd, K4, IPC_CREAT | 0600));
	char text[64];

	check(shmat(id, NULL, 0) != FAILED);
	check(shmat(named, NULL, SHM_RDONLY) != FAILED);
	snprintf(text, sizeof(text), "%d ", id);
	check(maps_has("/SYSV00000000 (deleted)"));
	check(maps_has("/SYSV1234abcd (deleted)"));
	check(maps_has(text));
	is(shmctl(id, IPC_RMID, NULL), 0);
	is(shmctl(named, IPC_RMID, NULL), 0);
}

TEST(permissions)
{
	int mine = works(shmget(KEY, K4, IPC_CREAT | 0600));
	int open = works(shmget(KEY + 1, K4, IPC_CREAT | 0604));
	struct shmid_ds ds;

	in_child {
		drop(USER);
		fails(shmget(KEY, K4, 0600), EACCES);
		is(shmget(KEY, K4, 0), mine);
		is(shmget(KEY, K4, 01000), mine);
		fails(shmget(KEY, K4, 0004), EACCES);
		is(shmget(KEY + 1, K4, 0004), open);
		is(shmget(KEY + 1, K4, 0400), open);
		fails(shmget(KEY + 1, K4, 0006), EACCES);
		fails((long)shmat(mine, NULL, 0), EACCES);
		fails((long)shmat(mine, NULL, SHM_RDONLY), EACCES);
		fails((long)shmat(open, NULL, 0), EACCES);
		check(shmat(open, NULL, SHM_RDONLY) != FAILED);
		fails(shmctl(mine, IPC_STAT, &ds), EACCES);
		is(shmctl(open, IPC_STAT, &ds), 0);
		fails(shmctl(open, IPC_RMID, NULL), EPERM);
		fails(shmctl(open, IPC_SET, &ds), EPERM);
		fails(shmctl(open, SHM_LOCK, NULL), EPERM);
		fails(shmctl(open, SHM_UNLOCK, NULL), EPERM);
	}
	is(shmctl(mine, IPC_STAT, &ds), 0);
	ds.shm_perm.uid = USER;
	ds.shm_perm.mode = 07660;
	is(shmctl(mine, IPC_SET, &ds), 0);
	is(shmctl(mine, IPC_STAT, &ds), 0);
	is(ds.shm_perm.uid, USER);
	is(ds.shm_perm.cuid, 0);
	is(ds.shm_perm.mode, 0660);
	in_child {
		drop(USER);
		check(shmat(mine, NULL, 0) != FAILED);
		is(shmctl(mine, IPC_RMID, NULL), 0);
	}
	fails(shmctl(mine, IPC_STAT, &ds), EINVAL);
	is(shmctl(open, IPC_STAT, &ds), 0);
	ds.shm_perm.uid = -1;
	fails(shmctl(open, IPC_SET, &ds), EINVAL);
	fails(shmctl(open, IPC_SET, BAD), EFAULT);
	is(shmctl(open, IPC_RMID, NULL), 0);
}

TEST(groups)
{
	int id = works(shmget(IPC_PRIVATE, K4, 0040));
	struct shmid_ds ds;
	gid_t more = 77;

	is(shmctl(id, IPC_STAT, &ds), 0);
	ds.shm_perm.gid = more;
	is(shmctl(id, IPC_SET, &ds), 0);
	in_child {
		setgroups(1, &more);
		setresgid(USER, USER, USER);
		setresuid(USER, USER, USER);
		check(shmat(id, NULL, SHM_RDONLY) != FAILED);
		fails((long)shmat(id, NULL, 0), EACCES);
	}
	in_child {
		drop(USER);
		fails((long)shmat(id, NULL, SHM_RDONLY), EACCES);
	}
	/* The creator's group counts as well. */
	in_child {
		setgroups(0, NULL);
		setresgid(0, 0, 0);
		setresuid(USER, USER, USER);
		check(shmat(id, NULL, SHM_RDONLY) != FAILED);
	}
	is(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(by_index)
{
	struct shmid_ds ds;
	struct shm_info info;
	struct shminfo limits;
	int id = works(segment(3 * K4)), highest, found = -1;
	char *m = shmat(id, NULL, 0);

	m[0] = m[K4] = 1;
	highest = works(shmctl(0, SHM_INFO, (void *)&info));
	check(highest >= (id & 0x7fff));
	check(info.used_ids >= 1);
	check(info.shm_tot >= 3);
	check(info.shm_rss >= 2);
	is(info.shm_swp, 0);
	is(shmctl(0, IPC_INFO, (void *)&limits), highest);
	is(limits.shmmni, setting("shmmni"));
	is(limits.shmmin, 1);
	is(limits.shmseg, limits.shmmni);
	for (int i = 0; i <= highest; i++)
		if (shmctl(i, SHM_STAT, &ds) == id)
			found = i;
	is(found, id & 0x7fff);
	is(shmctl(id & 0x7fff, SHM_STAT, &ds), id);
	is(ds.shm_segsz, 3 * K4);
	fails(shmctl(0x7fff, SHM_STAT, &ds), EINVAL);
	in_child {
		drop(USER);
		fails(shmctl(id & 0x7fff, SHM_STAT, &ds), EACCES);
		is(shmctl(id & 0x7fff, SHM_STAT_ANY, &ds), id);
	}
	fails(shmctl(0, SHM_INFO, BAD), EFAULT);
	fails(shmctl(0, IPC_INFO, BAD), EFAULT);
	fails(shmctl(-1, IPC_INFO, (void *)&limits), EINVAL);
	is(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(locked)
{
	struct rlimit none = {0, 0}, some = {2 * K4, 2 * K4};
	struct shmid_ds ds;
	int id = works(segment(3 * K4));

	is(shmctl(id, SHM_LOCK, NULL), 0);
	is(shmctl(id, SHM_LOCK, NULL), 0);
	is(shmctl(id, IPC_STAT, &ds), 0);
	is(ds.shm_perm.mode, 0600 | SHM_LOCKED);
	is(shmctl(id, SHM_UNLOCK, NULL), 0);
	is(shmctl(id, SHM_UNLOCK, NULL), 0);
	is(shmctl(id, IPC_STAT, &ds), 0);
	is(ds.shm_perm.mode, 0600);
	is(shmctl(id, IPC_RMID, NULL), 0);
	in_child {
		setrlimit(RLIMIT_MEMLOCK, &some);
		drop(USER);
		id = segment(3 * K4);
		fails(shmctl(id, SHM_LOCK, NULL), ENOMEM);
		is(shmctl(id, IPC_RMID, NULL), 0);
		id = segment(2 * K4);
		is(shmctl(id, SHM_LOCK, NULL), 0);
		/* The end of a segment gives the pages back. */
		is(shmctl(id, IPC_RMID, NULL), 0);
		id = segment(2 * K4);
		is(shmctl(id, SHM_LOCK, NULL), 0);
		is(shmctl(id, SHM_UNLOCK, NULL), 0);
		setrlimit(RLIMIT_MEMLOCK, &none);
		fails(shmctl(id, SHM_LOCK, NULL), EPERM);
		is(shmctl(id, SHM_UNLOCK, NULL), 0);
		is(shmctl(id, IPC_RMID, NULL), 0);
	}
}

TEST(huge_pages)
{
	fails(shmget(IPC_PRIVATE, 1 << 21, SHM_HUGETLB | 0600), ENOMEM);
	fails(shmget(IPC_PRIVATE, 1 << 21, SHM_HUGETLB | 13 << 26 | 0600), EINVAL);
	in_child {
		drop(USER);
		fails(shmget(IPC_PRIVATE, 1 << 21, SHM_HUGETLB | 0600), EPERM);
	}
}

TEST(limit_sizes)
{
	long most = setting("shmmax"), all = setting("shmall");
	struct shm_info info;
	int id;

	fails(shmget(IPC_PRIVATE, 1UL << 46, 0600), ENOMEM);
	id = works(shmget(IPC_PRIVATE, 1UL << 36, 0600 | SHM_NORESERVE));
	is(shmctl(id, IPC_RMID, NULL), 0);
	is(set_setting("shmmax", 3 * K4), 0);
	fails(segment(3 * K4 + 1), EINVAL);
	id = works(segment(3 * K4));
	works(shmctl(0, SHM_INFO, (void *)&info));
	is(set_setting("shmall", info.shm_tot + 2), 0);
	fails(segment(2 * K4 + 1), ENOSPC);
	is(shmctl(segment(2 * K4), IPC_RMID, NULL), 0);
	is(set_setting("shmmax", most), 0);
	is(setting("shmmax"), most);
	is(set_setting("shmall", all), 0);
	is(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(limit_number)
{
	long most = setting("shmmni");
	struct shm_info info;
	int id;

	works(shmctl(0, SHM_INFO, (void *)&info));
	is(set_setting("shmmni", info.used_ids + 1), 0);
	id = works(segment(1));
	fails(segment(1), ENOSPC);
	fails(shmget(KEY, 1, IPC_CREAT | 0600), ENOSPC);
	is(shmctl(id, IPC_RMID, NULL), 0);
	id = works(segment(1));
	is(set_setting("shmmni", most), 0);
	is(shmctl(id, IPC_RMID, NULL), 0);
	fails(set_setting("shmmni", 32769), EINVAL);
	fails(set_setting("shm_rmid_forced", 2), EINVAL);
}

TEST(next_id)
{
	int id;

	is(setting("shm_next_id"), -1);
	is(set_setting("shm_next_id", 5 << 15 | 1234), 0);
	id = works(segment(1));
	is(id, 5 << 15 | 1234);
	is(setting("shm_next_id"), -1);
	is(shmctl(id, IPC_RMID, NULL), 0);
}

TEST(removal_forced)
{
	int id, kept, pipes[2];

	is(setting("shm_rmid_forced"), 0);
	is(pipe(pipes), 0);
	in_child {
		/* Left behind by a process that ends before. */
		kept = segment(K4);
		write(pipes[1], &kept, sizeof(kept));
	}
	is(read(pipes[0], &kept, sizeof(kept)), sizeof(kept));
	is(attached(kept), 0);
	is(set_setting("shm_rmid_forced", 1), 0);
	is(attached(kept), -EINVAL);
	id = works(segment(K4));
	is(attached(id), 0);
	check(shmat(id, NULL, 0) != FAILED);
	is(attached(id), 1);
	in_child {
		kept = segment(K4);
		write(pipes[1], &kept, sizeof(kept));
	}
	is(read(pipes[0], &kept, sizeof(kept)), sizeof(kept));
	is(attached(kept), -EINVAL);
	in_child {
		kept = segment(K4);
		shmdt(shmat(kept, NULL, 0));
		is(attached(kept), -EINVAL);
	}
	is(set_setting("shm_rmid_forced", 0), 0);
	is(shmctl(id, IPC_RMID, NULL), 0);
}

/* What is removed gives its memory back. */
TEST(memory_comes_back)
{
	long before = field("/proc/meminfo", "MemFree");

	for (int i = 0; i < 20; i++) {
		int id = segment(16 << 20);
		char *m = shmat(id, NULL, 0);

		shmctl(id, IPC_RMID, NULL);
		memset(m, 1, 16 << 20);
		shmdt(m);
		fails(shmctl(id, IPC_RMID, NULL), EINVAL);
	}
	soon(field("/proc/meminfo", "MemFree") > before - 60000);
}

static void *
detacher(void *arg)
{
	return (void *)(long)shmdt(arg);
}


/* Threads that attach, fork and detach at the same time lose none. */
static void *
attacher(void *arg)
{
	int id = *(int *)arg;
	pthread_t other;

	for (int i = 0; i < 100; i++) {
		void *m = shmat(id, NULL, 0);

		if (m == FAILED || pthread_create(&other, NULL, detacher, m))
			return (void *)1;
		pthread_join(other, NULL);
	}
	return NULL;
}

/* The C library's fork would look at the lists of threads that are being made. */
static pid_t
quick_child(void)
{
	pid_t c = syscall(SYS_fork);

	if (!c)
		syscall(SYS_exit_group, 0);
	return c;
}

TEST(threads_and_forks)
{
	int id = works(segment(4 * K4));
	pthread_t t[3];
	void *bad;

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, attacher, &id);
	for (int i = 0; i < 40; i++)
		if (reap(quick_child()))
			ok(false, "child");
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], &bad);
		check(!bad);
	}
	is(attached(id), 0);
	is(shmctl(id, IPC_RMID, NULL), 0);
}

/* The heap shrinks beside an attachment. */
TEST(brk_beside)
{
	int id = works(segment(4 * K4));
	char *at = shmat(id, NULL, 0);

	check(at != FAILED);
	for (int i = 0; i < 3; i++) {
		check(sbrk(64 * K4) != FAILED);
		check(sbrk(-(long)(64 * K4)) != FAILED);
	}
	is(attached(id), 1);
	is(shmdt(at), 0);
	is(shmctl(id, IPC_RMID, NULL), 0);
}
