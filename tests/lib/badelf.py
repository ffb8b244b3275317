# SPDX-License-Identifier: BSD-2-Clause
"""The table of malformed (and a few odd but good) programs: name -> bytes."""

from elf import (BASE, CODE, DYN, DYNAMIC, GNU_PROPERTY, GNU_STACK, INTERP, NOTE, TLS,
                 exit_code, make, segment)

GOOD = exit_code(42)
HUGE = (1 << 64) - 1


def with_interpreter(path, offset=0x1800, **fields):
    """A program whose interpreter is `path`, written into the file as it is."""
    data = bytearray(make(GOOD, [segment(type=INTERP, flags=4, offset=offset, vaddr=BASE, **{
        "filesz": len(path), "memsz": len(path), "align": 1, **fields}), segment()]))
    data[0x1800:0x1800 + len(path)] = path
    return bytes(data)


def headers():
    """Bad fields in the ELF header, and files too short to have one."""
    good = make(GOOD)
    yield "good", good
    for length in (1, 3, 4, 16, 63, 64, 65, 119, 120, 4095, 4096, 4097):
        yield "cut-at-%d" % length, good[:length]
    for name, values in (
            ("magic", (0, 0x464c457e, 0x00004c7f)), ("class", (0, 1, 3)), ("data", (0, 2)),
            ("ident_version", (0, 255)), ("type", (0, 1, 4, 5, 0xff00, 0xffff)),
            ("machine", (0, 40, 183, 0xffff)), ("version", (0, 2)),
            ("entry", (0, 1, BASE, 1 << 46, 1 << 47, 1 << 63, 0xffffffff80000000, HUGE)),
            ("phoff", (0, 1, 0x1fff, 0x2000, 1 << 32, 1 << 63, HUGE)),
            ("shoff", (HUGE,)), ("flags", (0xffffffff,)), ("ehsize", (0, 0xffff)),
            ("phentsize", (0, 32, 55, 57, 0xffff)), ("phnum", (0, 2, 100, 1000, 0xffff)),
            ("shnum", (0xffff,))):
        for value in values:
            yield "%s-%x" % (name, value), make(GOOD, **{name: value})


def segments():
    """Bad fields in the PT_LOAD."""
    for name, values in (
            ("flags", (0, 1, 2, 4, 6, 7, 0xffffffff)),
            ("offset", (1, 0xfff, 0x1800, 0x2000, 0x3000, 0x100000, 1 << 62, 1 << 63,
                        HUGE - 0xfff)),
            ("vaddr", (0, 0x1000, BASE, BASE + CODE + 1, 1 << 47, 0x7ffffffff000, 0x7fffffffe000,
                       1 << 63,
                       0xffffffff80001000, HUGE - 0xfff)),
            ("filesz", (0, 1, 0x1001, 0x2000, 0x100000, 1 << 40, 1 << 63, HUGE)),
            ("memsz", (0, 1, 0xfff, 0x1001, 1 << 30, 1 << 40, 1 << 47, 1 << 63, HUGE)),
            ("align", (0, 1, 3, 0x1001, 1 << 30, 1 << 63, HUGE))):
        for value in values:
            yield "load-%s-%x" % (name, value), make(GOOD, [segment(**{name: value})])
    yield "no-segments", make(GOOD, [])
    yield "only-a-note", make(GOOD, [segment(type=NOTE)])
    yield "twice-the-same", make(GOOD, [segment(), segment()])
    yield "descending", make(GOOD, [segment(vaddr=BASE + CODE + 0x10000), segment()])
    yield "overlapping", make(GOOD, [segment(), segment(vaddr=BASE + CODE, flags=6)])
    yield "bss-below-the-text", make(GOOD, [segment(vaddr=BASE, filesz=0, memsz=0x1000, flags=6,
                                                    offset=0), segment()])
    yield "bss-of-zero-bytes", make(GOOD, [segment(), segment(vaddr=BASE + 0x10000, filesz=0,
                                                              memsz=0)])
    yield "sixty-segments", make(GOOD, [segment(vaddr=BASE + CODE + i * 0x1000) for i in range(60)])
    yield "dyn", make(GOOD, [segment(vaddr=CODE)], type=DYN, entry=CODE)
    yield "dyn-align-1G", make(GOOD, [segment(vaddr=CODE, align=1 << 30)], type=DYN, entry=CODE)
    yield "dyn-align-2^50", make(GOOD, [segment(vaddr=CODE, align=1 << 50)], type=DYN, entry=CODE)
    yield "dyn-high", make(GOOD, [segment(vaddr=1 << 46)], type=DYN, entry=1 << 46)
    yield "dyn-no-segments", make(GOOD, [], type=DYN)
    yield "dyn-span", make(GOOD, [segment(vaddr=CODE), segment(vaddr=1 << 46)], type=DYN,
                           entry=CODE)
    for kind, name in ((GNU_STACK, "stack"), (GNU_PROPERTY, "property"), (NOTE, "note"),
                       (TLS, "tls"),
                       (DYNAMIC, "dynamic"), (0, "null"), (0x7fffffff, "unknown")):
        yield name + "-garbage", make(GOOD, [segment(), segment(
            type=kind, flags=0xffffffff, offset=HUGE, vaddr=HUGE, filesz=HUGE, memsz=HUGE,
            align=HUGE)])


def interpreters():
    """PT_INTERP that leads nowhere."""
    for name, path in (("missing", b"/no/such\0"), ("not-ended", b"/no/such"), ("empty", b"\0"),
                       ("folder", b"/bad\0"), ("itself", b"/bad/interp-itself\0"),
                       ("text", b"/bad/text\0"), ("script", b"/bad/script-good\0"),
                       ("short", b"/bad/cut-at-120\0"), ("good", b"/bad/good\0"),
                       ("dyn", b"/bad/dyn\0"), ("relative", b"no/such\0"),
                       ("device", b"/dev/null\0"),
                       ("bad-type", b"/bad/type-1\0"), ("no-load", b"/bad/no-segments\0"),
                       ("not-executable", b"/bad/mode\0")):
        yield "interp-" + name, with_interpreter(path)
    path = b"/bad/dyn\0"
    for name, values in (("filesz", (0, 1, 4096, 4097, 1 << 32, HUGE)),
                         ("offset", (0x2000, 1 << 62, HUGE))):
        for value in values:
            yield "interp-%s-%x" % (name, value), with_interpreter(path, **{name: value})


def others():
    """What is no ELF file."""
    yield "empty", b""
    yield "text", b"hello\n"
    yield "zeros", bytes(100000)
    yield "script-good", b"#!/bin/true\n"
    yield "script-no-newline", b"#!/bin/true"
    yield "script-empty", b"#!"
    yield "script-empty-line", b"#!\n"
    yield "script-blanks", b"#!  \t \n"
    yield "script-missing", b"#!/no/such\n"
    yield "script-folder", b"#!/bad\n"
    yield "script-text", b"#!/bad/text\n"
    yield "script-itself", b"#!/bad/script-itself\n"
    yield "script-nul", b"#!/bin/true\0/x\n"
    yield "script-argument", b"#!/bin/busybox true\n"
    for length in (100, 125, 126, 127, 128, 250, 253, 254, 255, 256, 257, 300, 5000):
        yield "script-path-of-%d" % length, b"#!/" + b"a" * (length - 1) + b"\n"
        yield "script-argument-of-%d" % length, b"#!/bin/true " + b"a" * length + b"\n"


def table():
    """All of them."""
    found = {}
    for source in (headers, segments, interpreters, others):
        for name, data in source():
            assert name not in found, name
            found[name] = data
    return found
