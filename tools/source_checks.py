# SPDX-License-Identifier: BSD-2-Clause
"""What `make check` reads out of the sources themselves: layers, licence lines, shapes of
functions.

Each check is a generator of complaints "FILE:LINE: what is wrong"; CHECKS names them all.
"""

import collections
import functools
import os
import re
import subprocess

# Folder -> what it may include besides itself. An include only points down (style: Layers).
LOW = ("config", "lib", "uapi", "asm")
BELOW_KERNEL = LOW + ("percpu", "sync", "mm")
LAYERS = {
    "config": (),
    "uapi": ("config", "lib"),
    "lib": ("config", "uapi"),
    "asm": ("config", "lib", "uapi"),
    "percpu": LOW,
    "sync": LOW + ("percpu",),
    "mm": LOW + ("percpu", "sync"),
    "kernel": BELOW_KERNEL,
    "block": BELOW_KERNEL + ("kernel",),
    "net": BELOW_KERNEL + ("kernel",),
    "fs": BELOW_KERNEL + ("kernel", "block"),
    "ipc": BELOW_KERNEL + ("kernel", "fs"),
    "uring": BELOW_KERNEL + ("kernel", "net", "fs"),
    "virt": BELOW_KERNEL + ("kernel",),
    "containers": BELOW_KERNEL + ("kernel", "block", "net", "fs", "ipc", "uring", "virt"),
    "arch": BELOW_KERNEL + ("kernel", "block", "net", "fs", "ipc", "uring", "virt", "containers"),
}
FOLDERS = tuple(f for f in LAYERS if f not in ("asm", "uapi"))
GENERATED = ("asm-offsets.h", "kernel/syscall/syscalls.h", "percpu/trace/events.h")
FREESTANDING = ("stdarg.h", "stddef.h", "stdbool.h", "stdint.h", "limits.h", "cpuid.h",
                "x86intrin.h")
SPDX = "SPDX-License-Identifier: BSD-2-Clause"
LONGEST_FUNCTION, MOST_PARAMETERS, WIDEST = 80, 5, 100
# Takes what mmap(2) takes.
LIKE_A_SYSCALL = ("space_map",)

INCLUDE = re.compile(r'\s*#\s*include\s+([<"])([^>"]+)[>"]')
DEFINITION = re.compile(r"(\w+)\(")
ASSEMBLY = re.compile(r"(?:[A-Z_]+\()?([a-z]\w*)[:)]")


@functools.lru_cache(maxsize=None)
def files(*endings):
    """The tree's files with these endings: known to git or new, never ignored ones."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"],
                            stdout=subprocess.PIPE,
                            text=True, check=True).stdout.split("\n")
    return sorted(f for f in set(listed) if f.endswith(endings) and os.path.isfile(f))


@functools.lru_cache(maxsize=None)
def lines_of(path):
    with open(path, errors="replace") as source:
        return source.read().split("\n")


def kernel_files(*endings):
    """Those of the kernel's own folders."""
    return [f for f in files(*endings) if f.split("/")[0] in FOLDERS]


def layer(path):
    """The layer that a file or an include's name is in; None for what is in no layer."""
    for folder, name in (("arch/x86_64/asm/", "asm"), ("kernel/uapi/", "uapi")):
        if path.startswith(folder):
            return name
    top = path.split("/")[0]
    return top if top in FOLDERS else None


def runs_on_host(path):
    """Whether a source is (also) compiled for the host, where it may use the C library."""
    return bool(re.search(r"(^|/)host[/_.]|_host\.[ch]$", path))


def includes(path):
    """(line number, bracket, name) of each include."""
    for number, line in enumerate(lines_of(path), 1):
        found = INCLUDE.match(line)
        if found:
            yield number, found[1], found[2]


def check_layers():
    """An include only points down; private headers stay in their folder; the user ABI is alone."""
    for path in kernel_files(".c", ".h", ".S"):
        own = layer(path)
        for number, bracket, name in includes(path):
            where = "%s:%d: includes %s" % (path, number, name)
            target = layer(name)
            if runs_on_host(path) or name in GENERATED:
                continue
            if bracket == "<":
                if name not in FREESTANDING and path != "lib/string.h":
                    yield where + ", which is not freestanding"
            elif "/" not in name:
                yield where + ": spell it from the root"
            elif target not in (own, None) and target not in LAYERS[own] and \
                    not path.endswith("_test.c") and not (own == "fs" and name == "net/port.h"):
                yield where + ": %s may not see %s" % (own, target)
            elif name.endswith("_impl.h") and own not in ("arch", target):
                yield where + ", a private header of another folder"
            elif own == "uapi" and target != "uapi" and name != "lib/types.h":
                yield where + ": the user ABI includes nothing of the kernel"


def check_own_header_first():
    """foo.c includes foo.h before anything else of the kernel, or by way of foo_impl.h."""
    for path in kernel_files(".c"):
        own = path[:-2] + ".h"
        first = next((i for i in includes(path) if i[1] == '"'), None)
        if first and first[2] == path[:-2] + "_impl.h":
            first = next(includes(first[2]), first)
        if os.path.exists(own) and (not first or first[2] != own):
            yield "%s:%d: %s does not come first" % (path, first[0] if first else 1, own)


def check_ports():
    """What a port.h asks for is defined once, in a folder above its own."""
    defined = collections.defaultdict(list)
    for path in kernel_files(".c", ".S"):
        for line in lines_of(path):
            found = (DEFINITION if path.endswith(".c") else ASSEMBLY).match(line)
            if found:
                defined[found[1]].append(path)
    for port in kernel_files("port.h"):
        for number, line in enumerate(lines_of(port), 1):
            found = re.match(r"(?!#|\s|/|\*|static|typedef|struct \w+ \{)[\w\s*]*?(\w+)\(.*[;,]$",
                             line)
            if not found or found[1].isupper() or found[1] in ("__attribute__", "static_assert"):
                continue
            places = [p for p in defined[found[1]] if not p.endswith("_host.c")]
            outside = [p for p in places if os.path.dirname(p) != os.path.dirname(port)]
            if not outside:
                yield "%s:%d: nobody above defines %s" % (port, number, found[1])
            elif len(outside) > 1:
                yield "%s:%d: %s is defined in %s" % (port, number, found[1], " and ".join(outside))


def check_no_prototypes_in_sources():
    """A function of another file comes from its header, not from a declaration on the spot."""
    for path in kernel_files(".c"):
        for number, line in enumerate(lines_of(path), 1):
            if re.match(r"extern (?![^=;]*__attribute__)[^=;]*\w\(", line):
                yield "%s:%d: declares a function that a header should" % (path, number)


def check_spdx():
    """Line 1 (2 after #!) is the licence."""
    for path in files(".c", ".h", ".S", ".mk", ".py", ".t", ".sh", ".list", "Makefile"):
        lines = lines_of(path)
        line = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
        want = "/* %s */" % SPDX if path.endswith((".c", ".h", ".S")) else "# " + SPDX
        if line != want:
            yield "%s:1: is not: %s" % (path, want)


Function = collections.namedtuple("Function", "name start body end parameters")


def functions(path):
    """The functions of a C file in the house style: name at column 0, braces at column 0."""
    lines, at = lines_of(path), 0
    while at < len(lines):
        found = DEFINITION.match(lines[at])
        if not found or lines[at].rstrip().endswith(";"):
            at += 1
            continue
        body = at
        while body < len(lines) and lines[body] != "{" and not lines[body].endswith(";"):
            body += 1
        if body == len(lines) or lines[body] != "{":
            at += 1
            continue
        end = body
        while end < len(lines) and lines[end] != "}":
            end += 1
        head = " ".join(lines[at:body])
        inside = head[head.index("(") + 1:head.rindex(")")] if ")" in head else ""
        inside = re.sub(r"\([^()]*\)", "", inside)
        count = 0 if inside.strip() in ("", "void") else inside.count(",") + 1
        yield Function(found[1], at, body, end, count)
        at = end + 1


def check_functions():
    """A function fits a screen and has five parameters at most, no #if, no comment behind code."""
    for path in kernel_files(".c"):
        lines = lines_of(path)
        for f in functions(path):
            where = "%s:%d: %s" % (path, f.start + 1, f.name)
            above = "\n".join(lines[max(0, f.start - 12):f.start])
            if f.end - f.start >= LONGEST_FUNCTION and "/* long:" not in above + "\n".join(
                    lines[f.start:f.body]) and " * long:" not in above:
                yield where + " has %d lines and no `long:` comment" % (f.end - f.start + 1)
            if f.parameters > MOST_PARAMETERS and not f.name.startswith("sys_") and \
                    f.name not in LIKE_A_SYSCALL:
                yield where + " has %d parameters" % f.parameters
            for number in range(f.body, min(f.end, len(lines))):
                line = lines[number]
                if re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b", line):
                    yield "%s:%d: #if inside %s" % (path, number + 1, f.name)
                if re.search(r"[;{},)]\s*(/\*.*\*/|//.*)\s*$", line):
                    yield "%s:%d: a comment behind a statement" % (path, number + 1)


def check_lines():
    """No line over 100 columns, no blank at its end, no // comment."""
    for path in kernel_files(".c", ".h", ".S"):
        for number, line in enumerate(lines_of(path), 1):
            where = "%s:%d: " % (path, number)
            if len(line.expandtabs(8)) > WIDEST:
                yield where + "%d columns" % len(line.expandtabs(8))
            if line != line.rstrip():
                yield where + "blanks at the end"
            if re.match(r"\s*//", line):
                yield where + "a // comment"


CHECKS = {
    "layers": check_layers,
    "own-header": check_own_header_first,
    "ports": check_ports,
    "prototypes": check_no_prototypes_in_sources,
    "spdx": check_spdx,
    "functions": check_functions,
    "lines": check_lines,
}
