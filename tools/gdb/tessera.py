# SPDX-License-Identifier: BSD-2-Clause
"""Commands for gdb that print what a running Tessera is made of.

    gdb build/tessera.elf -ex 'source tools/gdb/tessera.py' -ex 'target remote :1234'
    (gdb) ts

Model: types come from gdb-types.o beside the kernel (make gdb-types), addresses from the kernel's
symbols, memory from QEMU. Nothing is written and no lock is taken: the machine stands still, and what
it was in the middle of may look odd. QEMU's thread N + 1 is CPU N.
"""

import os

import gdb

STATES = ((0x01, "S"), (0x02, "D"), (0x04, "D"), (0x08, "I"), (0x10, "T"), (0x20, "t"), (0x40, "Z"))
ASLEEP, WAKING = 0x100, 0x200
CONTEXTS = ("task", "softirq", "interrupt", "NMI")
STACK_SIZE = 16384


def address(name):
    """Where a symbol lies."""
    return int(gdb.parse_and_eval("(unsigned long)&'%s'" % name))


def struct(name):
    return gdb.lookup_type("struct " + name)


def at(where, kind):
    """What lies at an address, as a struct of that name."""
    return gdb.Value(int(where)).cast(struct(kind).pointer()).dereference()


def word(where):
    kind = gdb.lookup_type("unsigned long").pointer()
    return int(gdb.Value(int(where)).cast(kind).dereference())


def half(where):
    kind = gdb.lookup_type("unsigned int").pointer()
    return int(gdb.Value(int(where)).cast(kind).dereference())


def cpus():
    """CPUs that are online."""
    mask = address("cpu_online_mask")
    return [c for c in range(half(address("nr_cpus")))
            if word(mask + c // 64 * 8) >> c % 64 & 1]


def percpu(name, cpu):
    """The address of a per-CPU variable on a CPU."""
    return address(name) + word(address("percpu_offset") + 8 * cpu) & (1 << 64) - 1


def offset_of(kind, path):
    """Of a member, which may lie in a member."""
    total, fields = 0, struct(kind)
    for part in path.split("."):
        field = fields[part]
        total += field.bitpos // 8
        fields = field.type.strip_typedefs()
    return total


def entries(head, kind, member):
    """The structs on a struct list, whose address `head` is."""
    offset = offset_of(kind, member)
    link, steps = word(head), 0
    while link != head and link and steps < 1000000:
        yield at(link - offset, kind)
        link, steps = word(link), steps + 1


def tree(node, kind, member):
    """The structs of a tree in order; node: address of its root."""
    if not node:
        return
    value = at(node, "rb_node")
    yield from tree(int(value["left"]), kind, member)
    yield at(node - offset_of(kind, member), kind)
    yield from tree(int(value["right"]), kind, member)


def text(value):
    return value.string(errors="replace") if value else ""


def symbol(where):
    """NAME+OFFSET of a kernel address."""
    said = gdb.execute("info symbol %#x" % where, to_string=True).split(" in section")[0].strip()
    return said.replace(" + ", "+") if not said.startswith("No symbol") else "%#x" % where


def state(task):
    value = int(task["sched"]["state"])
    if value & WAKING:
        return "W"
    return next((letter for bit, letter in STATES if value & bit), "R")


def processes(process):
    """A process and all below it."""
    yield process
    head = int(process.address) + offset_of("process", "children")
    for child in entries(head, "process", "sibling"):
        yield from processes(child)


def tasks():
    """(task, its process) of all but the idle ones."""
    for process in processes(at(address("idle_process"), "process")):
        head = int(process.address) + offset_of("process", "threads")
        for task in entries(head, "task", "thread_link"):
            if int(task["tid"]):
                yield task, process


def frames(pc, frame, low, high):
    """Return addresses by frame pointers, from pc on, within [low, high) of a stack."""
    yield pc
    for _ in range(64):
        if frame % 8 or not low <= frame <= high - 16:
            return
        pc, above = word(frame + 8), word(frame)
        if pc < 1 << 63:
            return
        yield pc
        if above <= frame:
            return
        frame = above


def print_frames(addresses):
    for number, pc in enumerate(addresses):
        print("  #%-2d %#x %s" % (number, pc, symbol(pc - (number > 0))))


def task_frames(task):
    """Where a task that does not run sleeps."""
    low, sp = int(task["stack"]), int(task["ksp"])
    return frames(word(sp + 48), word(sp + 40), low, low + STACK_SIZE)


def running():
    """Address of the task that runs on a CPU -> CPU."""
    return {word(percpu("current_task", cpu)): cpu for cpu in cpus()}


# --- commands ---


def show_tasks(_):
    """tasks: every task, its state, CPU, policy, and what it sleeps in"""
    on = running()
    print("%6s %6s %s %4s %-9s %-16s %s" % ("TID", "PID", "S", "CPU", "POLICY", "NAME", "WHERE"))
    policies = {0: "other", 1: "fifo", 2: "rr", 3: "batch", 5: "idle", 6: "deadline"}
    low, high = address("__sched_text_start"), address("__sched_text_end")
    for task, process in tasks():
        cpu, where = on.get(int(task.address)), ""
        if cpu is None and int(task["ksp"]) and not int(task["sched"]["on_cpu"]):
            where = next((symbol(pc - 1) for pc in task_frames(task) if not low <= pc - 1 < high), "")
        print("%6d %6d %s %4d %-9s %-16s %s" %
              (int(task["tid"]), int(process["tgid"]), state(task), int(task["sched"]["cpu"]),
               policies.get(int(task["sched"]["policy"]), "?"), text(task["comm"]),
               "running" if cpu is not None else where))


def show_queues(_):
    """runq: what each CPU runs and what waits there"""
    for cpu in cpus():
        rq = at(percpu("runq", cpu), "runq")
        task = rq["curr"].dereference()
        print("CPU %d: %d runnable, %d fair, %d real-time, %d deadline; %d switches; runs %s [%d]%s" %
              (cpu, int(rq["nr_running"]), int(rq["fair_nr"]), int(rq["rt_nr"]), int(rq["dl_nr"]),
               int(rq["switches"]), text(task["comm"]), int(task["tid"]),
               " (leaving)" if int(rq["leaving"]) else ""))
        for waiting in tree(int(rq["fair_tree"]["root"]["node"]), "task", "sched.node"):
            sched = waiting["sched"]
            print("    fair      %s [%d] vruntime %d deadline %d" %
                  (text(waiting["comm"]), int(waiting["tid"]), int(sched["vruntime"]),
                   int(sched["vdeadline"])))
        for waiting in tree(int(rq["dl_tree"]["root"]["node"]), "task", "sched.node"):
            print("    deadline  %s [%d] at %d" % (text(waiting["comm"]), int(waiting["tid"]),
                                                  int(waiting["sched"]["dl_abs"])))
        first = int(rq.address) + offset_of("runq", "rt_queue")
        for priority in range(100) if int(rq["rt_nr"]) else ():
            for waiting in entries(first + 16 * priority, "task", "sched.link"):
                print("    rt %-3d    %s [%d]" % (priority, text(waiting["comm"]),
                                                 int(waiting["tid"])))


def held(who, locks):
    depth = int(locks["depth"])
    for i in range(min(depth, locks["at"].type.range()[1] + 1)):
        lock = locks["at"][i]
        if int(lock["class"]):
            cls = lock["class"].dereference()
            print("%-24s %-24s rank %-4d %#x %s%s, taken at %s" %
                  (who, text(cls["name"]), int(cls["rank"]), int(lock["lock"]),
                   CONTEXTS[int(lock["context"])], ", shared" if int(lock["shared"]) else "",
                   symbol(int(lock["pc"]))))


def show_locks(_):
    """locks: locks held, and by whom (debug kernels keep that)"""
    if struct("held_locks").sizeof < 64:
        print("Only debug kernels keep what is held; `ts mutex ADDRESS` shows one.")
        return
    for cpu in cpus():
        held("CPU %d" % cpu, at(percpu("cpu_held", cpu), "held_locks"))
    for task, _ in tasks():
        held("%s [%d]" % (text(task["comm"]), int(task["tid"])), task["held"])


def show_mutex(argument):
    """mutex ADDRESS: who holds a mutex and who waits for it"""
    mutex = at(gdb.parse_and_eval(argument), "mutex")
    owner = int(mutex["owner"])
    if owner & 4:
        task = at(owner & ~7, "task")
        print("held by %s [%d]%s" % (text(task["comm"]), int(task["tid"]),
                                     ", others wait" if owner & 1 else ""))
    else:
        print("free")
    link, head = int(mutex["waiters"]["next"]), int(mutex.address) + offset_of("mutex", "waiters")
    while link != head and link:
        # struct mutex_waiter of sync/mutex.c: the link, then the task.
        task = at(word(link + 16), "task")
        print("  waits: %s [%d]" % (text(task["comm"]), int(task["tid"])))
        link = word(link)


def show_rcu(_):
    """rcu: the grace period, whom it waits for, and the callbacks of each CPU"""
    gp = at(address("rcu_gp"), "rcu_gp")
    seq = int(gp["seq"])
    print("%d grace periods have ended; %s; wanted: %d" %
          (seq // 2, "one is going on" if seq & 1 else "none is going on", int(gp["wanted"]) // 2))
    for cpu in cpus():
        rc = at(percpu("rcu_cpu", cpu), "rcu_cpu")
        leaf = gp["leaves"][cpu // 16]
        waits = seq & 1 and int(leaf["waiting"]) >> cpu % 16 & 1
        print("CPU %d: %d callbacks, %s%s" %
              (cpu, int(rc["len"]),
               "in the kernel or a program" if half(percpu("rcu_watching", cpu)) & 1 else "idle",
               ", waited for" if waits else ""))


def show_slabs(_):
    """slabs: object caches: size, slabs, free objects in them, in depots, in CPUs' magazines"""
    print("%-20s %6s %6s %6s %8s %8s %8s" %
          ("CACHE", "SIZE", "ORDER", "SLABS", "IN USE", "FREE", "CACHED"))
    nodes = half(address("slab_nodes"))
    total = half(address("nr_cpus"))
    offsets = [word(address("percpu_offset") + 8 * cpu) for cpu in range(total)]
    for cache in entries(address("caches"), "slab_cache", "all"):
        slabs = free = depot = 0
        for i in range(nodes):
            node = cache["node"][i]
            slabs += int(node["slabs"])
            free += int(node["free_objects"])
            depot += int(node["depot_objects"])
        for offset in offsets:
            mine = at(int(cache["cpu"]) + offset & (1 << 64) - 1, "slab_cpu")
            depot += int(mine["n"]) + int(mine["spare_n"])
        used = slabs * int(cache["per_slab"]) - free - depot
        print("%-20s %6d %6d %6d %8d %8d %8d" % (text(cache["name"]), int(cache["size"]),
                                                 int(cache["order"]), slabs, used, free, depot))


def show_stack(argument):
    """stack CPU | stack task TID: the kernel stack of what a CPU runs, or of a task that sleeps"""
    words = argument.split()
    if words[:1] == ["task"]:
        for task, _ in tasks():
            if int(task["tid"]) == int(words[1]):
                print("%s [%d], %s:" % (text(task["comm"]), int(task["tid"]), state(task)))
                if int(task.address) in running():
                    print("  runs on CPU %d" % running()[int(task.address)])
                else:
                    print_frames(task_frames(task))
                return
        raise gdb.GdbError("no task %s" % words[1])
    cpu, before = int(words[0]), gdb.selected_thread()
    thread = next((t for t in gdb.selected_inferior().threads() if t.num == cpu + 1), None)
    if thread is None:
        raise gdb.GdbError("no CPU %d" % cpu)
    try:
        thread.switch()
        registers = {name: int(gdb.parse_and_eval("(unsigned long)$" + name))
                     for name in ("rip", "rbp", "rsp")}
        task = at(word(percpu("current_task", cpu)), "task")
        print("CPU %d: %s [%d]" % (cpu, text(task["comm"]), int(task["tid"])))
        if registers["rip"] < 1 << 63:
            print("  in the program at %#x" % registers["rip"])
        else:
            print_frames(frames(registers["rip"], registers["rbp"], registers["rsp"],
                                registers["rsp"] + STACK_SIZE))
    finally:
        if before is not None:
            before.switch()


def show_percpu(argument):
    """percpu NAME [TYPE]: a per-CPU variable on each CPU; the type is a number's if not given"""
    words = argument.split(None, 1)
    if not words:
        raise gdb.GdbError("which variable?")
    kind = gdb.lookup_type(words[1] if len(words) > 1 else "unsigned long")
    for cpu in cpus():
        where = percpu(words[0], cpu)
        print("CPU %d: %#x: %s" % (cpu, where,
                                   gdb.Value(where).cast(kind.pointer()).dereference()))


COMMANDS = {"tasks": show_tasks, "runq": show_queues, "locks": show_locks, "mutex": show_mutex,
            "rcu": show_rcu, "slabs": show_slabs, "stack": show_stack, "percpu": show_percpu}


class Tessera(gdb.Command):
    """What a running Tessera is made of; `ts` alone lists the commands."""

    def __init__(self):
        super().__init__("ts", gdb.COMMAND_STATUS)

    def complete(self, line, _):
        return [name for name in COMMANDS if name.startswith(line)]

    def invoke(self, argument, _):
        name, _, rest = argument.strip().partition(" ")
        if name in COMMANDS:
            COMMANDS[name](rest.strip())
            return
        for command in COMMANDS.values():
            print("ts " + command.__doc__)


def load_types():
    """The types beside the kernel that gdb was started with."""
    kernel = next((o.filename for o in gdb.objfiles() if o.filename.endswith(".elf")), None)
    types = os.path.join(os.path.dirname(kernel or ""), "gdb-types.o")
    if not os.path.exists(types):
        raise gdb.GdbError("no %s: run make gdb-types (CONFIG=...)" % types)
    gdb.execute("add-symbol-file %s 0" % types, to_string=True)


gdb.execute("set confirm off")
load_types()
Tessera()
