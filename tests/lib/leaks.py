# SPDX-License-Identifier: BSD-2-Clause
"""Reads what a kernel has in use, before and after a load, and compares.

Documentation/testing.md, Leaks, says what is read and what must hold.
"""

import vm

# In the guest; %s is the reading's name. Caches that may be dropped are, and RCU gets time to free.
READ = """
reading()
{
	echo 3 >/proc/sys/vm/drop_caches
	sleep 2
	echo "== leaks $1"
	awk '/^(MemTotal|MemFree|Buffers|Cached|SReclaimable):/ {
		sub(":", "", $1); print "meminfo", $1, $2 }' /proc/meminfo
	awk 'NR > 2 { print "slab", $1, $2 }' /proc/slabinfo
	[ -f /proc/slab_allocators ] && awk '{ print "place", $1 ":" $3, $2 }' /proc/slab_allocators
	tasks=0
	for pid in /proc/[0-9]*; do
		[ "$(cat $pid/cmdline 2>/dev/null)" ] && tasks=$((tasks + 1))
	done
	echo "tasks user $tasks"
	awk '{ print "files open", $1 }' /proc/sys/fs/file-nr
	awk 'END { print "mounts all", NR }' /proc/mounts
	echo "== leaks end"
}
reading %s
"""

# How much may be more: pages wait on per-CPU lists, objects in per-CPU magazines.
KIB_EACH_CPU, KIB = 512, 4096
OBJECTS_EACH_CPU, OBJECTS = 64, 64


def reading(result, name):
    """{(kind, what): number} of the reading `name`."""
    found, inside = {}, False
    for line in result.lines:
        if line.startswith("== leaks "):
            inside = line == "== leaks " + name
        elif inside and line.count(" ") == 2:
            kind, what, number = line.split()
            if number.isdigit():
                found[kind, what] = int(number)
    return found


def used(found):
    """KiB that are neither free nor a cache."""
    def value(what):
        return found.get(("meminfo", what), 0)
    return value("MemTotal") - sum(map(value, ("MemFree", "Buffers", "Cached", "SReclaimable")))


def places(before, after, caches):
    """Who allocated what is lost of `caches`: a line each, most first (the debug kernel tells)."""
    more = {what: number - before.get((kind, what), 0) for (kind, what), number in after.items()
            if kind == "place" and what.partition(":")[0] in caches}
    return ["%s: %d" % (what, more[what]) for what in sorted(more, key=more.get, reverse=True)[:8]
            if more[what] > 0]


def check(t, result, name, cpus):
    """Reports memory, objects, tasks, files and mounts as results of `t`."""
    before, after = reading(result, "before"), reading(result, "after")
    if not t.ok(before and after, name + ": /proc was read twice", result.tail()):
        return
    grown = used(after) - used(before)
    allowed = (KIB + KIB_EACH_CPU * cpus) * (8 if vm.is_linux() else 1)
    t.ok(grown <= allowed, name + ": no memory is lost", "%d KiB more are in use" % grown)
    more = {what: after[kind, what] - number for (kind, what), number in before.items()
            if kind == "slab" and (kind, what) in after}
    most = sorted(more, key=more.get, reverse=True)[:5]
    t.note("%d KiB more; %s" % (grown, ", ".join("%s %+d" % (what, more[what]) for what in most)))
    lost = {what: n for what, n in more.items()
            if n > OBJECTS + OBJECTS_EACH_CPU * cpus + before["slab", what] // 10}
    if vm.is_linux():
        t.skip(name + ": no objects are lost",
               "Linux counts free objects of per-CPU slabs as active")
    else:
        t.ok(more and not lost, name + ": no objects are lost",
             "\n".join([str(lost)] + places(before, after, lost)) if lost
             else "there is no /proc/slabinfo")
    t.same(after.get(("tasks", "user")), before.get(("tasks", "user")),
           name + ": no tasks are left")
    files = after.get(("files", "open"), 1 << 30) - before.get(("files", "open"), 0)
    t.ok(files <= 16 + (64 * cpus if vm.is_linux() else 0), name + ": no files are left open",
         "%d more are open" % files)
    t.same(after.get(("mounts", "all")), before.get(("mounts", "all")),
           name + ": no mounts are left")
