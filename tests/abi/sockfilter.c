/* SPDX-License-Identifier: BSD-2-Clause */
/* Filters of local sockets, SO_PEEK_OFF, SO_PASSSEC: socket(7), unix(7). */
#include "abi.h"

#include <linux/filter.h>
#include <sys/socket.h>
#include <sys/un.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

static int sv[2];

static void
pair(int type)
{
	is(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, sv), 0);
}

static void
unpair(void)
{
	close(sv[0]);
	close(sv[1]);
}

static int
set(int opt, int v)
{
	return setsockopt(sv[1], SOL_SOCKET, opt, &v, sizeof(v));
}

static long
get_opt(int opt)
{
	int v = -77;
	socklen_t len = sizeof(v);

	if (getsockopt(sv[1], SOL_SOCKET, opt, &v, &len))
		return -1000 - errno;
	return v;
}

static int
attach(const struct sock_filter *f, int n)
{
	struct sock_fprog p = { n, (struct sock_filter *)f };

	return setsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p));
}

/* What arrives of "0123456789abcdef" by a program; -1: nothing. */
static long
through(const struct sock_filter *f, int n)
{
	char buf[64];
	long r;

	if (attach(f, n))
		return -1000 - errno;
	if (send(sv[0], "0123456789abcdef", 16, 0) != 16)
		return -2000 - errno;
	r = recv(sv[1], buf, sizeof(buf), MSG_TRUNC);
	return r < 0 ? -1 : r;
}

#define THROUGH(...) ({							\
	struct sock_filter prog[] = { __VA_ARGS__ };			\
	through(prog, sizeof(prog) / sizeof(prog[0])); })
#define ATTACH(...) ({							\
	struct sock_filter prog[] = { __VA_ARGS__ };			\
	attach(prog, sizeof(prog) / sizeof(prog[0])); })
#define S(code, k) BPF_STMT(code, (unsigned int)(k))
#define J(code, k, t, f) BPF_JUMP(code, (unsigned int)(k), t, f)
#define TAKE_A S(BPF_RET | BPF_A, 0)

static void
values(void)
{
	is(THROUGH(S(BPF_RET, 100)), 16);
	is(THROUGH(S(BPF_RET, 5)), 5);
	is(THROUGH(S(BPF_RET, 0)), -1);
	is(THROUGH(S(BPF_LD | BPF_W | BPF_LEN, 0), TAKE_A), 16);
	/* In the order of the network. */
	is(THROUGH(S(BPF_LD | BPF_B | BPF_ABS, 1), S(BPF_ALU | BPF_SUB, '0'), TAKE_A), 1);
	is(THROUGH(S(BPF_LD | BPF_H | BPF_ABS, 2), S(BPF_ALU | BPF_SUB, 0x3233 - 7), TAKE_A), 7);
	is(THROUGH(S(BPF_LD | BPF_W | BPF_ABS, 1), S(BPF_ALU | BPF_SUB, 0x31323334 - 9), TAKE_A), 9);
	is(THROUGH(S(BPF_LDX | BPF_W | BPF_IMM, 3), S(BPF_LD | BPF_B | BPF_IND, 2),
		   S(BPF_ALU | BPF_SUB, '0'), TAKE_A), 5);
	is(THROUGH(S(BPF_LDX | BPF_W | BPF_IMM, -1), S(BPF_LD | BPF_B | BPF_IND, 4),
		   S(BPF_ALU | BPF_SUB, '0'), TAKE_A), 3);
	/* 4 * (0x32 & 15) = 8 */
	is(THROUGH(S(BPF_LDX | BPF_B | BPF_MSH, 2), S(BPF_MISC | BPF_TXA, 0), TAKE_A), 8);
	is(THROUGH(S(BPF_LD | BPF_IMM, 23), S(BPF_ALU | BPF_MOD, 9), TAKE_A), 5);
	is(THROUGH(S(BPF_LD | BPF_IMM, 23), S(BPF_LDX | BPF_IMM, 7), S(BPF_ALU | BPF_MOD | BPF_X, 0),
		   TAKE_A), 2);
	is(THROUGH(S(BPF_LD | BPF_IMM, 23), S(BPF_ALU | BPF_MOD | BPF_X, 0), S(BPF_RET, 9)), -1);
	is(THROUGH(S(BPF_LD | BPF_B | BPF_ABS, 15), J(BPF_JMP | BPF_JEQ, 'f', 0, 1), S(BPF_RET, 3),
		   S(BPF_RET, 4)), 3);
}

static void
outside(void)
{
	/* What lies outside ends the program. */
	is(THROUGH(S(BPF_LD | BPF_B | BPF_ABS, 16), S(BPF_RET, 3)), -1);
	is(THROUGH(S(BPF_LD | BPF_H | BPF_ABS, 15), S(BPF_RET, 3)), -1);
	is(THROUGH(S(BPF_LD | BPF_W | BPF_ABS, 13), S(BPF_RET, 3)), -1);
	is(THROUGH(S(BPF_LD | BPF_W | BPF_ABS, 12), S(BPF_RET, 3)), 3);
	is(THROUGH(S(BPF_LD | BPF_B | BPF_ABS, 0x7fffffff), S(BPF_RET, 3)), -1);
	is(THROUGH(S(BPF_LDX | BPF_IMM, 16), S(BPF_LD | BPF_B | BPF_IND, 0), S(BPF_RET, 3)), -1);
	is(THROUGH(S(BPF_LDX | BPF_B | BPF_MSH, 16), S(BPF_RET, 3)), -1);
	/* What is known besides. */
	is(THROUGH(S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PROTOCOL),
		   S(BPF_ALU | BPF_ADD, 3), TAKE_A), 3);
	is(THROUGH(S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_PKTTYPE),
		   S(BPF_ALU | BPF_ADD, 3), TAKE_A), 3);
	is(THROUGH(S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_MARK),
		   S(BPF_ALU | BPF_ADD, 3), TAKE_A), 3);
	is(THROUGH(S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_IFINDEX), S(BPF_RET, 3)), -1);
	is(THROUGH(S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_HATYPE), S(BPF_RET, 3)), -1);
	is(THROUGH(S(BPF_LD | BPF_IMM, 12), S(BPF_LDX | BPF_IMM, 9),
		   S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_ALU_XOR_X), TAKE_A), 5);
	is(THROUGH(S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_CPU),
		   S(BPF_ALU | BPF_AND, 0), S(BPF_ALU | BPF_ADD, 4), TAKE_A), 4);
	is(THROUGH(S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_RANDOM), S(BPF_RET, 3)), 3);
}

TEST(datagrams)
{
	pair(SOCK_DGRAM);
	values();
	outside();
	unpair();
}

TEST(packets)
{
	pair(SOCK_SEQPACKET);
	values();
	unpair();
}

TEST(streams_have_none)
{
	pair(SOCK_STREAM);
	is(THROUGH(S(BPF_RET, 0)), 16);
	unpair();
}

TEST(by_name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "here" };
	struct sock_filter none[] = { S(BPF_RET, 0) }, some[] = { S(BPF_RET, 2) };
	char buf[16];

	sv[1] = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	sv[0] = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	is(bind(sv[1], (void *)&a, sizeof(a)), 0);
	is(attach(none, 1), 0);
	is(sendto(sv[0], "hello", 5, 0, (void *)&a, sizeof(a)), 5);
	fails(recv(sv[1], buf, 16, 0), EAGAIN);
	is(attach(some, 1), 0);
	is(sendto(sv[0], "hello", 5, 0, (void *)&a, sizeof(a)), 5);
	is(recv(sv[1], buf, 16, 0), 2);
	is(sendto(sv[0], "", 0, 0, (void *)&a, sizeof(a)), 0);
	is(recv(sv[1], buf, 16, 0), 0);
	unpair();
}

TEST(what_is_refused)
{
	static struct sock_filter many[4097];
	struct sock_fprog p = { 1, BAD };

	pair(SOCK_DGRAM);
	for (int i = 0; i < 4097; i++)
		many[i] = (struct sock_filter)S(BPF_RET, 1);
	fails(attach(many, 0), EINVAL);
	fails(attach(many, 4097), EINVAL);
	fails(attach(many, 4096), ENOMEM);
	is(attach(many, 500), 0);
	fails(setsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p)), EFAULT);
	fails(setsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof(p) - 1), EINVAL);
	fails(setsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, BAD, sizeof(p)), EFAULT);
	fails(ATTACH(S(BPF_LD | BPF_IMM, 1)), EINVAL);
	fails(ATTACH(S(0xffff, 0), S(BPF_RET, 0)), EINVAL);
	fails(ATTACH(S(BPF_ALU | BPF_DIV, 0), S(BPF_RET, 0)), EINVAL);
	fails(ATTACH(S(BPF_ALU | BPF_MOD, 0), S(BPF_RET, 0)), EINVAL);
	fails(ATTACH(S(BPF_ALU | BPF_LSH, 32), S(BPF_RET, 0)), EINVAL);
	fails(ATTACH(S(BPF_LD | BPF_MEM, 1), S(BPF_RET, 0)), EINVAL);
	fails(ATTACH(S(BPF_ST, 16), S(BPF_RET, 0)), EINVAL);
	fails(ATTACH(J(BPF_JMP | BPF_JEQ, 0, 0, 1), S(BPF_RET, 0)), EINVAL);
	fails(ATTACH(S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + 2), S(BPF_RET, 0)), EINVAL);
	fails(ATTACH(S(BPF_LD | BPF_W | BPF_ABS, SKF_AD_OFF + SKF_AD_MAX), S(BPF_RET, 0)), EINVAL);
	fails(set(SO_ATTACH_BPF, -1), EBADF);
	fails(set(SO_ATTACH_BPF, sv[0]), EINVAL);
	unpair();
}

TEST(detach_and_lock)
{
	struct sock_filter f[] = { S(BPF_LD | BPF_IMM, 3), TAKE_A }, got[8];
	socklen_t len;

	pair(SOCK_DGRAM);
	fails(set(SO_DETACH_FILTER, 0), ENOENT);
	len = 8;
	is(getsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, got, &len), 0);
	is(len, 0);
	is(attach(f, 2), 0);
	is(through(f, 2), 3);
	len = 0;
	is(getsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, got, &len), 0);
	is(len, 2);
	len = 1;
	fails(getsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, got, &len), EINVAL);
	len = 8;
	is(getsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, got, &len), 0);
	is(len, 2);
	is(memcmp(got, f, sizeof(f)), 0);
	len = 8;
	fails(getsockopt(sv[1], SOL_SOCKET, SO_ATTACH_FILTER, BAD, &len), EFAULT);
	is(set(SO_DETACH_FILTER, 0), 0);
	fails(set(SO_DETACH_FILTER, 0), ENOENT);
	is(attach(f, 2), 0);
	is(get_opt(SO_LOCK_FILTER), 0);
	is(set(SO_LOCK_FILTER, 0), 0);
	is(set(SO_LOCK_FILTER, 1), 0);
	is(get_opt(SO_LOCK_FILTER), 1);
	is(set(SO_LOCK_FILTER, 1), 0);
	fails(set(SO_LOCK_FILTER, 0), EPERM);
	fails(set(SO_DETACH_FILTER, 0), EPERM);
	fails(attach(f, 2), EPERM);
	fails(set(SO_ATTACH_BPF, -1), EPERM);
	unpair();
}

/* --- peeking --- */

static long
peek(char *buf, int n)
{
	memset(buf, 0, 16);
	return recv(sv[1], buf, n, MSG_PEEK);
}

TEST(peek_off_of_streams)
{
	char buf[16];

	pair(SOCK_STREAM);
	is(get_opt(SO_PEEK_OFF), -1);
	send(sv[0], "abcdef", 6, 0);
	send(sv[0], "ghijkl", 6, 0);
	is(set(SO_PEEK_OFF, 0), 0);
	is(peek(buf, 4), 4);
	same(buf, "abcd");
	is(get_opt(SO_PEEK_OFF), 4);
	is(peek(buf, 4), 4);
	same(buf, "efgh");
	is(recv(sv[1], buf, 3, 0), 3);
	is(get_opt(SO_PEEK_OFF), 5);
	is(peek(buf, 15), 4);
	same(buf, "ijkl");
	fails(peek(buf, 15), EAGAIN);
	send(sv[0], "mn", 2, 0);
	is(peek(buf, 15), 2);
	same(buf, "mn");
	is(set(SO_PEEK_OFF, 2), 0);
	is(peek(buf, 2), 2);
	same(buf, "fg");
	is(recv(sv[1], buf, 16, 0), 11);
	is(get_opt(SO_PEEK_OFF), 0);
	is(set(SO_PEEK_OFF, -5), 0);
	is(get_opt(SO_PEEK_OFF), -5);
	send(sv[0], "xyz", 3, 0);
	is(peek(buf, 2), 2);
	is(peek(buf, 2), 2);
	same(buf, "xy");
	is(get_opt(SO_PEEK_OFF), -5);
	/* Behind the end, and nobody sends any more. */
	is(set(SO_PEEK_OFF, 10), 0);
	fails(peek(buf, 2), EAGAIN);
	shutdown(sv[0], SHUT_WR);
	is(peek(buf, 2), 0);
	unpair();
}

static void
peek_packets(int type)
{
	char buf[16];

	pair(type);
	is(set(SO_PEEK_OFF, 0), 0);
	send(sv[0], "abcdef", 6, 0);
	send(sv[0], "ghi", 3, 0);
	is(peek(buf, 4), 4);
	is(get_opt(SO_PEEK_OFF), 4);
	is(recv(sv[1], buf, 1, MSG_PEEK | MSG_TRUNC), 2);
	is(get_opt(SO_PEEK_OFF), 5);
	is(peek(buf, 15), 1);
	same(buf, "f");
	is(peek(buf, 15), 3);
	same(buf, "ghi");
	fails(peek(buf, 15), EAGAIN);
	is(recv(sv[1], buf, 1, 0), 1);
	is(get_opt(SO_PEEK_OFF), 3);
	is(set(SO_PEEK_OFF, 1), 0);
	is(peek(buf, 15), 2);
	same(buf, "hi");
	is(recv(sv[1], buf, 15, 0), 3);
	is(get_opt(SO_PEEK_OFF), 0);
	/* Each empty one is seen once. */
	send(sv[0], "", 0, 0);
	send(sv[0], "z", 1, 0);
	is(peek(buf, 15), 0);
	is(peek(buf, 15), 1);
	fails(peek(buf, 15), EAGAIN);
	unpair();
}

TEST(peek_off_of_datagrams)
{
	peek_packets(SOCK_DGRAM);
}

TEST(peek_off_of_packets)
{
	peek_packets(SOCK_SEQPACKET);
}

TEST(peek_waits)
{
	char buf[16] = "";
	int fl;

	pair(SOCK_STREAM);
	fl = fcntl(sv[1], F_GETFL);
	fcntl(sv[1], F_SETFL, fl & ~O_NONBLOCK);
	send(sv[0], "abc", 3, 0);
	is(set(SO_PEEK_OFF, 3), 0);
	in_child {
		msleep(50);
		send(sv[0], "def", 3, 0);
		_exit(0);
	}
	is(peek(buf, 15), 3);
	same(buf, "def");
	unpair();
}

TEST(low_water_and_peeking)
{
	char buf[16];

	pair(SOCK_STREAM);
	is(set(SO_RCVLOWAT, 10), 0);
	send(sv[0], "abc", 3, 0);
	is(peek(buf, 15), 3);
	is(peek(buf, 15), 3);
	unpair();
}

/* --- what comes along --- */

TEST(passsec)
{
	char buf[16], control[256];
	struct iovec v = { buf, sizeof(buf) };
	struct msghdr h = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control,
			    .msg_controllen = sizeof(control) };

	pair(SOCK_DGRAM);
	is(get_opt(SO_PASSSEC), 0);
	is(set(SO_PASSSEC, 7), 0);
	is(get_opt(SO_PASSSEC), 1);
	send(sv[0], "x", 1, 0);
	is(recvmsg(sv[1], &h, 0), 1);
	is(h.msg_controllen, 0);
	is(set(SO_PASSSEC, 0), 0);
	is(get_opt(SO_PASSSEC), 0);
	/* Later than 6.1. */
	fails(set(SO_PASSPIDFD, 1), ENOPROTOOPT);
	is(get_opt(SO_PASSPIDFD), -1000 - ENOPROTOOPT);
	unpair();
}
