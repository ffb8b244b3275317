/* SPDX-License-Identifier: BSD-2-Clause */
/* chmod, chown, access, umask, and what the kernel enforces from them. */
#include "tests/abi/abi.h"

static mode_t
mode(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? (mode_t)-1 : st.st_mode & 07777;
}

TEST(chmod_rules)
{
	int fd;

	put("f", "");
	is(chmod("f", 0612), 0);
	is(mode("f"), 0612);
	is(chmod("f", 0107777), 0);
	is(mode("f"), 07777);
	fd = works(open("f", O_RDONLY));
	is(fchmod(fd, 0600), 0);
	is(mode("f"), 0600);
	is(fchmodat(AT_FDCWD, "f", 0640, 0), 0);
	is(mode("f"), 0640);
	fails(chmod("none", 0600), ENOENT);
	fails(chmod("f/x", 0600), ENOTDIR);
	fails(fchmod(-1, 0600), EBADF);
	works(symlink("f", "l"));
	is(chmod("l", 0604), 0);
	is(mode("f"), 0604);
	is(mode("l"), 0777);
	fails(chmod(BAD, 0600), EFAULT);
}

TEST(chmod_owner_only)
{
	put("f", "");
	put("mine", "");
	chown("mine", USER, USER);
	put("grp", "");
	chown("grp", USER, 55);
	in_child {
		drop(USER);
		fails(chmod("f", 0777), EPERM);
		is(chmod("mine", 04755), 0);
		is(mode("mine"), 04755);
		is(chmod("mine", 02755), 0);
		is(mode("mine"), 02755);
		/* Not a member of the group: the bit is dropped in silence. */
		is(chmod("grp", 02755), 0);
		is(mode("grp"), 0755);
	}
}

TEST(chown_rules)
{
	struct stat st;
	int fd;

	put("f", "");
	is(chown("f", 10, 20), 0);
	is(stat("f", &st), 0);
	is(st.st_uid, 10);
	is(st.st_gid, 20);
	is(chown("f", -1, 30), 0);
	is(stat("f", &st), 0);
	is(st.st_uid, 10);
	is(st.st_gid, 30);
	is(chown("f", -1, -1), 0);
	works(symlink("f", "l"));
	is(lchown("l", 1, 2), 0);
	is(lstat("l", &st), 0);
	is(st.st_uid, 1);
	is(stat("f", &st), 0);
	is(st.st_uid, 10);
	is(chown("l", 11, 31), 0);
	is(stat("f", &st), 0);
	is(st.st_uid, 11);
	fd = works(open("f", O_RDONLY));
	is(fchown(fd, 12, 32), 0);
	is(fchownat(fd, "", 13, 33, AT_EMPTY_PATH), 0);
	is(fchownat(AT_FDCWD, "l", 3, 4, AT_SYMLINK_NOFOLLOW), 0);
	is(fstat(fd, &st), 0);
	is(st.st_uid, 13);
	fails(fchownat(AT_FDCWD, "f", 1, 1, 0x8000), EINVAL);
	fails(chown("none", 0, 0), ENOENT);
	fails(fchown(-1, 0, 0), EBADF);
}

TEST(chown_by_user)
{
	gid_t groups[] = { 60 };
	struct stat st;

	put("mine", "");
	chown("mine", USER, USER);
	put("other", "");
	in_child {
		setgroups(1, groups);
		setresgid(USER, USER, USER);
		setresuid(USER, USER, USER);
		fails(chown("other", USER, -1), EPERM);
		fails(chown("mine", 0, -1), EPERM);
		fails(chown("mine", -1, 61), EPERM);
		is(chown("mine", USER, 60), 0);
		is(stat("mine", &st), 0);
		is(st.st_gid, 60);
		is(chown("mine", -1, USER), 0);
		is(chown("other", -1, -1), 0);
	}
}

/* Ownership change and writing by others clear set-id bits. */
TEST(set_id_cleared)
{
	int fd;

	put("f", "");
	chmod("f", 06755);
	is(chown("f", USER, USER), 0);
	is(mode("f"), 0755);
	chmod("f", 06745);
	is(chown("f", USER, USER), 0);
	is(mode("f") & 04000, 0);
	put("w", "");
	chmod("w", 06777);
	in_child {
		drop(USER);
		fd = works(open("w", O_WRONLY));
		is(write(fd, "x", 1), 1);
	}
	is(mode("w"), 0777);
	chmod("w", 04777);
	in_child {
		drop(USER);
		is(truncate("w", 0), 0);
	}
	is(mode("w"), 0777);
	chmod("w", 04777);
	fd = works(open("w", O_WRONLY));
	is(write(fd, "x", 1), 1);
	is(mode("w"), 04777);
}

/* Exactly one class of bits applies: owner, else group, else others. */
TEST(one_class_applies)
{
	static const struct {
		mode_t mode;
		uid_t uid;
		gid_t gid;
		bool read;
	} rows[] = {
		{ 0400, USER, 1, true },
		{ 0077, USER, USER, false },
		{ 0040, 1, USER, true },
		{ 0704, 1, USER, false },
		{ 0004, 1, 1, true },
		{ 0770, 1, 1, false },
		{ 0444, USER, USER, true },
		{ 0222, USER, USER, false },
	};

	put("f", "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		chown("f", rows[i].uid, rows[i].gid);
		chmod("f", rows[i].mode);
		in_child {
			bool got;

			drop(USER);
			got = open("f", O_RDONLY) >= 0;
			ok(got == rows[i].read, "mode %04o uid %u gid %u: %s",
			   rows[i].mode, rows[i].uid, rows[i].gid,
			   rows[i].read ? "readable" : "refused");
		}
	}
}

TEST(supplementary_groups)
{
	gid_t groups[] = { 5, 66, 7 };

	put("f", "");
	chown("f", 1, 66);
	chmod("f", 0040);
	in_child {
		setgroups(3, groups);
		setresgid(USER, USER, USER);
		setresuid(USER, USER, USER);
		works(open("f", O_RDONLY));
		fails(open("f", O_WRONLY), EACCES);
	}
}

TEST(access_call)
{
	put("f", "");
	chmod("f", 0640);
	is(access("f", F_OK), 0);
	is(access("f", R_OK | W_OK), 0);
	/* Even root executes only what somebody may execute. */
	fails(access("f", X_OK), EACCES);
	chmod("f", 0001);
	is(access("f", X_OK), 0);
	chmod("f", 0);
	is(access("f", R_OK | W_OK), 0);
	fails(access("f", 8), EINVAL);
	fails(access("none", F_OK), ENOENT);
	fails(access("f/x", F_OK), ENOTDIR);
	mkdir("d", 0);
	is(access("d", X_OK), 0);
	chmod("f", 0604);
	in_child {
		drop(USER);
		is(access("f", R_OK), 0);
		fails(access("f", W_OK), EACCES);
		fails(access("d/x", F_OK), EACCES);
	}
}

/* access asks for the real ids, AT_EACCESS for the effective ones. */
TEST(real_against_effective)
{
	put("f", "");
	chmod("f", 0600);
	in_child {
		setresgid(USER, USER, 0);
		setresuid(USER, 0, 0);
		fails(access("f", R_OK), EACCES);
		is(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS), 0);
		works(open("f", O_RDONLY));
	}
	in_child {
		setresuid(0, USER, 0);
		is(access("f", R_OK), 0);
		fails(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS),
		      EACCES);
		fails(open("f", O_RDONLY), EACCES);
	}
	fails(syscall(SYS_faccessat2, AT_FDCWD, "f", R_OK, 0x8000), EINVAL);
	works(symlink("none", "l"));
	fails(syscall(SYS_faccessat2, AT_FDCWD, "l", F_OK, 0), ENOENT);
	is(syscall(SYS_faccessat2, AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW), 0);
	is(syscall(SYS_faccessat2, works(open("f", O_PATH)), "", R_OK,
		   AT_EMPTY_PATH), 0);
}

TEST(umask_call)
{
	is(umask(07777), 022);
	is(umask(0), 0777);
	is(umask(077), 0);
	close(creat("f", 0666));
	is(mode("f"), 0600);
	mkfifo("p", 0666);
	is(mode("p"), 0600);
	symlink("f", "l");
	is(mode("l"), 0777);
	is(chmod("f", 0777), 0);
	is(mode("f"), 0777);
	in_child {
		is(umask(0), 077);
	}
	is(umask(022), 077);
	is(field("/proc/self/status", "Umask"), 022);
}

/* Linux refuses foreign FIFOs and files with O_CREAT in sticky directories
 * only by sysctl; directories themselves always need write and search. */
TEST(directory_bits)
{
	mkdir("x", 0777);
	chmod("x", 0333);
	mkdir("r", 0777);
	put("r/f", "");
	chmod("r", 0444);
	in_child {
		drop(USER);
		is(put("x/new", ""), 0);
		fails(open("x", O_RDONLY), EACCES);
		works(open("r", O_RDONLY | O_DIRECTORY));
		fails(access("r/f", F_OK), EACCES);
		fails(put("r/new", ""), EACCES);
	}
}

TEST(utimes_permissions)
{
	struct timespec ts[2] = { { 1, 0 }, { 1, 0 } };

	put("f", "");
	chmod("f", 0666);
	in_child {
		drop(USER);
		/* The current time needs write access, another the owner. */
		is(utimensat(AT_FDCWD, "f", NULL, 0), 0);
		fails(utimensat(AT_FDCWD, "f", ts, 0), EPERM);
	}
	chmod("f", 0644);
	in_child {
		drop(USER);
		fails(utimensat(AT_FDCWD, "f", NULL, 0), EACCES);
	}
}
