/* SPDX-License-Identifier: BSD-2-Clause */
/* Credentials, capabilities at changes of ids and at exec, counts of users. */
#include "kernel/cred_impl.h"

#include "kernel/task/task.h"
#include "kernel/uapi/capability.h"
#include "lib/errno.h"
#include "lib/test.h"

static struct cred
cred_of(u32 uid, u32 euid, u32 suid, u64 caps)
{
	return (struct cred){
		.uid = uid,
		.euid = euid,
		.suid = suid,
		.cap_permitted = caps,
		.cap_effective = caps,
		.cap_ambient = caps,
	};
}

TEST(caps_drop_root)
{
	struct cred old = cred_of(0, 0, 0, CAP_FULL_SET);
	struct cred new = cred_of(1000, 1000, 1000, CAP_FULL_SET);

	cred_fix_caps(&new, &old);
	EXPECT_EQ(new.cap_permitted, 0UL);
	EXPECT_EQ(new.cap_effective, 0UL);
	EXPECT_EQ(new.cap_ambient, 0UL);
}

TEST(caps_keep)
{
	struct cred old = cred_of(0, 0, 0, CAP_FULL_SET);
	struct cred new = cred_of(1000, 1000, 1000, CAP_FULL_SET);

	new.securebits = SECBIT_KEEP_CAPS;
	cred_fix_caps(&new, &old);
	EXPECT_EQ(new.cap_permitted, CAP_FULL_SET);
	EXPECT_EQ(new.cap_effective, 0UL);
}

TEST(caps_effective_follows_euid)
{
	struct cred old = cred_of(0, 0, 0, CAP_FULL_SET);
	struct cred new = cred_of(0, 1000, 0, CAP_FULL_SET);

	cred_fix_caps(&new, &old);
	EXPECT_EQ(new.cap_permitted, CAP_FULL_SET);
	EXPECT_EQ(new.cap_effective, 0UL);
	old = new;
	new.euid = 0;
	cred_fix_caps(&new, &old);
	EXPECT_EQ(new.cap_effective, CAP_FULL_SET);
}

TEST(groups_search)
{
	struct group_list *g = group_list_alloc(5);
	struct cred c = {.fsgid = 7};

	ASSERT_TRUE(g != NULL);
	for (u32 i = 0; i < 5; i++)
		g->gid[i] = i * 10;
	c.groups = g;
	EXPECT(cred_in_group(&c, 7));
	for (u32 i = 0; i < 60; i++)
		EXPECT_EQ(cred_in_group(&c, i), i == 7 || (i % 10 == 0 && i < 50));
	group_list_put(g);
}

TEST(user_counts)
{
	struct user *u = user_get_uid(123456);
	u64 limit = 100;
	s64 n = 0;

	ASSERT_TRUE(u != NULL);
	EXPECT(user_get_uid(123456) == u);
	user_put(u);
	while (user_count_try_add(u, USER_PROCESSES, 1, limit))
		n++;
	EXPECT_EQ(n, 100);
	EXPECT_EQ(user_count_sum(u, USER_PROCESSES), 100);
	EXPECT(!user_count_try_add(u, USER_PROCESSES, 1, limit));
	EXPECT(user_count_try_add(u, USER_PROCESSES, 1, U64_MAX));
	user_count_add(u, USER_PROCESSES, -101);
	EXPECT_EQ(user_count_sum(u, USER_PROCESSES), 0);
	user_put(u);
}

/* Needs a task that may change its credentials: the one that runs the tests is root. */
TEST(prepare_and_abort)
{
	struct cred *c = cred_prepare();

	ASSERT_TRUE(c != NULL);
	EXPECT_EQ(c->uid, current_cred()->uid);
	EXPECT_EQ(c->cap_permitted, current_cred()->cap_permitted);
	cred_abort(c);
	EXPECT(capable(CAP_SYS_ADMIN));
}

TEST(exec_plain_root)
{
	struct cred_exec x = {};

	ASSERT_EQ(cred_exec(&x), 0);
	EXPECT(!x.secure);
	EXPECT_EQ(x.cred->cap_effective, CAP_FULL_SET);
	cred_exec_abort(&x);
}

TEST(exec_setuid_to_user)
{
	struct cred_exec x = {.setuid = true, .file_uid = 1000};

	ASSERT_EQ(cred_exec(&x), 0);
	EXPECT(x.secure);
	EXPECT_EQ(x.cred->euid, 1000u);
	EXPECT_EQ(x.cred->suid, 1000u);
	EXPECT_EQ(x.cred->cap_effective, 0UL);
	cred_exec_abort(&x);
}
