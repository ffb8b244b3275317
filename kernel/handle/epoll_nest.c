/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets that watch sets.
 *
 * Model: they form a graph without loops whose longest chain has MAX_LINKS links,
 * which bounds the stack and the time of a wakeup. It changes only under
 * epoll_nest_mutex. A new link is looked at from both ends: the longest chain
 * that ends in it, itself, and the longest that goes on from it. A walk visits
 * each set once.
 *
 * See: epoll_ctl(2), ELOOP.
 */
#include "kernel/handle/epoll_impl.h"
#include "lib/errno.h"

#define MAX_LINKS 4

static LOCK_CLASS(epoll_nest_class, RANK_EPOLL);
struct mutex epoll_nest_mutex = MUTEX_INIT(epoll_nest_mutex, epoll_nest_class);
/* (epoll_nest_mutex)  number of the present walk */
static u64 walk;

/* Links below ep; beyond MAX_LINKS if `target` is reached. The depth bounds the recursion. */
static int
chain_down(struct epoll *ep, const struct epoll *target)
{
	struct item *it;
	int longest = 0;

	if (ep == target)
		return MAX_LINKS + 1;
	if (ep->walk == walk)
		return ep->chain;
	list_for_each_entry(it, &ep->subs, sub_link)
		longest = max(longest, 1 + chain_down(file_epoll(it->file), target));
	ep->walk = walk;
	ep->chain = longest;
	return longest;
}

/* Links above ep. Items that watch a set come and go under our mutex: no link lock is needed. */
static int
chain_up(struct epoll *ep)
{
	struct item *it;
	int longest = 0;

	if (ep->walk == walk)
		return ep->chain;
	list_for_each_entry(it, &ep->file->epoll_links, file_link)
		longest = max(longest, 1 + chain_up(it->ep));
	ep->walk = walk;
	ep->chain = longest;
	return longest;
}

int
epoll_nest_check(struct epoll *ep, struct epoll *sub)
{
	int down, up;

	walk++;
	down = chain_down(sub, ep);
	walk++;
	up = chain_up(ep);
	return up + 1 + down > MAX_LINKS ? -ELOOP : 0;
}
