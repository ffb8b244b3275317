# SPDX-License-Identifier: BSD-2-Clause
"""Says what lies at an address of the guest, and which function and line an instruction is of.

Model: a Names knows one kernel's symbols and layout, and, fed with the guest's `frames` and `percpu`
lines (tests/conflicts/frames.c), what each page frame is used for. A line is named after the
address by which the kernel touched it: a symbol, a variable of a CPU's area, an object of a slab
cache with the offset in it, an entry of a page table, a kind of page; memory that only was touched
by user addresses is the programs' own.
"""

import bisect
import collections
import subprocess

LINE = 64
PAGE = 4096
USER_END = 1 << 47
DIRECT_MAP, DIRECT_MAP_END = 0xffff888000000000, 0xffffc88000000000
VMALLOC, VMALLOC_END = 0xffffc90000000000, 0xffffe90000000000
# Tessera: arch/x86_64/asm/layout.h.
PERCPU, PERCPU_END, PERCPU_STRIDE = 0xffffd00000000000, 0xffffd10000000000, 0x200000
PAGES, PAGES_END = 0xffffea0000000000, 0xffffeb0000000000
KERNEL = 0xffffffff80000000

# A line's name. kind: symbol, percpu, slab, table, page, vmalloc, struct page, user. `text` is the
# same for the same field of different objects; `own` tells them apart.
Name = collections.namedtuple("Name", "kind text own")


class Symbols:
    """Addresses and names, sorted."""

    def __init__(self, pairs):
        self.table = sorted(pairs)
        self.starts = [address for address, _ in self.table]

    def at(self, address):
        """The name and the offset from its start, of the last symbol that starts not behind."""
        i = bisect.bisect_right(self.starts, address) - 1
        return ("?", 0) if i < 0 else (self.table[i][1], address - self.table[i][0])


def offset_text(name, offset):
    return "%s+%#x" % (name, offset) if offset else name


class Names:
    """The common part; a subclass says what is at kernel addresses that are its own."""

    def __init__(self, symbols):
        self.symbols = symbols
        self.frames = {}
        self.places = {}

    def take(self, words):
        """A line of the guest, split: `frames FIRST COUNT KIND ...` in hex."""
        if words[0] == "frames":
            first = int(words[1], 16)
            for frame in range(first, first + int(words[2], 16)):
                self.frames[frame] = words[3:]

    def frame(self, physical):
        return self.frames.get(physical // PAGE, ["unknown"])

    def of_page(self, physical):
        """Names memory by what its page is used for."""
        kind = self.frame(physical)
        if kind[0] == "slab":
            slot, objects = int(kind[2]), int(kind[3], 16)
            offset = (physical - objects) % slot if slot else physical % PAGE
            return Name("slab", offset_text(kind[1], offset), physical - offset)
        if kind[0] == "table":
            return Name("table", "page table entries", physical)
        return Name("page", kind[0] + " page", physical)

    def line(self, line):
        """The name of a shared line: of the lowest byte in it that the kernel touched."""
        kernel = [a for a in line.accesses if a.virtual >= USER_END]
        if not kernel:
            return Name("user", "user memory", line.physical)
        first = min(kernel, key=lambda a: a.physical)
        return self.address(first.virtual, first.physical)

    def address(self, virtual, physical):
        if PAGES <= virtual < PAGES_END:
            frame = (virtual - PAGES) // LINE
            kind = self.frame(frame * PAGE)
            of = " ".join(kind[:2] if kind[0] == "slab" else kind[:1])
            return Name("struct page", "struct page of %s" % of, frame)
        if virtual >= KERNEL:
            return Name("symbol", offset_text(*self.symbols.at(virtual)), 0)
        if VMALLOC <= virtual < VMALLOC_END:
            return Name("vmalloc", "vmalloc or stack", physical)
        return self.of_page(physical)

    def resolve(self, pcs):
        """Learns the places of instructions; one call for many is much faster."""

    def place(self, pc):
        """`function` or `function file:line` of an instruction."""
        if pc < USER_END:
            return "user"
        if pc not in self.places:
            self.resolve([pc])
        return self.places[pc]


class TesseraNames(Names):
    """Symbols from the ELF file, lines by addr2line."""

    def __init__(self, elf):
        pairs = []
        for text in subprocess.run(["nm", elf], capture_output=True, text=True, check=True).stdout.splitlines():
            words = text.split()
            if len(words) == 3 and words[1] not in "aA":
                pairs.append((int(words[0], 16), words[2]))
        super().__init__(Symbols(pairs))
        where = dict((name, address) for address, name in pairs)
        self.percpu, self.percpu_end = where["__percpu_start"], where["__percpu_end"]
        self.elf = elf

    def address(self, virtual, physical):
        if PERCPU <= virtual < PERCPU_END:
            cpu, offset = divmod(virtual - PERCPU, PERCPU_STRIDE)
            if offset < self.percpu_end - self.percpu:
                text = offset_text(*self.symbols.at(self.percpu + offset))
            else:
                text = "per-CPU object at %#x" % offset
            return Name("percpu", text, cpu)
        return super().address(virtual, physical)

    def resolve(self, pcs):
        pcs = sorted(set(pc for pc in pcs if pc >= USER_END and pc not in self.places))
        run = subprocess.run(["addr2line", "-a", "-f", "-i", "-s", "-e", self.elf],
                             input="\n".join("%#x" % pc for pc in pcs), capture_output=True,
                             text=True, check=True)
        pc, found = None, collections.defaultdict(list)
        for text in run.stdout.splitlines():
            if text.startswith("0x"):
                pc = int(text, 16)
            else:
                found[pc].append(text.split(" (")[0])
        for pc in pcs:
            # Pairs of function and file:line, from the innermost inlined one outwards.
            names, places = found[pc][0::2], found[pc][1::2]
            inner = names[0] if names[0] == names[-1] else "%s<%s" % (names[-1], names[0])
            self.places[pc] = "%s %s" % (inner, places[0])


class LinuxNames(Names):
    """Symbols from its /proc/kallsyms, booted with nokaslr; functions only."""

    def __init__(self, kallsyms):
        pairs, percpu = [], []
        with open(kallsyms) as lines:
            for text in lines:
                address, kind, name = text.split()[:3]
                (percpu if kind in "aA" else pairs).append((int(address, 16), name))
        super().__init__(Symbols(pairs))
        self.percpu = Symbols(percpu)
        self.areas = {}

    def take(self, words):
        if words[0] == "percpu":
            self.areas[int(words[1])] = int(words[2], 16)
        super().take(words)

    def address(self, virtual, physical):
        stride = self.areas[1] - self.areas[0] if 1 in self.areas else 0
        for cpu, start in self.areas.items():
            if start <= virtual < start + stride:
                if virtual - start < self.percpu.starts[-1]:
                    return Name("percpu", offset_text(*self.percpu.at(virtual - start)), cpu)
                return Name("percpu", "per-CPU object at %#x" % (virtual - start), cpu)
        return super().address(virtual, physical)

    def resolve(self, pcs):
        for pc in pcs:
            self.places[pc] = self.symbols.at(pc)[0]
