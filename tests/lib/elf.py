# SPDX-License-Identifier: BSD-2-Clause
"""Makes small static x86-64 ELF files, good ones and, field by field, bad ones.

A good file is a header, program headers and at 0x1000 the code; it is loaded at BASE.

    OFFSET  SIZE  FIELD of the header            OFFSET  SIZE  FIELD of a program header
    16      2     type (2 EXEC, 3 DYN)           0       4     type
    18      2     machine                        4       4     flags (1 X, 2 W, 4 R)
    20      4     version                        8       8     offset
    24      8     entry                          16      8     vaddr
    32      8     phoff                          24      8     paddr
    54      2     phentsize                      32      8     filesz
    56      2     phnum                          40      8     memsz
                                                 48      8     align
"""

import struct

BASE = 0x400000
CODE = 0x1000
EXEC, DYN = 2, 3
LOAD, DYNAMIC, INTERP, NOTE, TLS = 1, 2, 3, 4, 7
GNU_STACK, GNU_PROPERTY = 0x6474e551, 0x6474e553

HEADER = {"magic": (0, "<I"), "class": (4, "<B"), "data": (5, "<B"), "ident_version": (6, "<B"),
          "type": (16, "<H"), "machine": (18, "<H"), "version": (20, "<I"), "entry": (24, "<Q"),
          "phoff": (32, "<Q"), "shoff": (40, "<Q"), "flags": (48, "<I"), "ehsize": (52, "<H"),
          "phentsize": (54, "<H"), "phnum": (56, "<H"), "shnum": (60, "<H")}
PROGRAM = ("type", "flags", "offset", "vaddr", "paddr", "filesz", "memsz", "align")


def exit_code(status):
    """exit(status)"""
    return b"\xbf" + struct.pack("<I", status) + b"\xb8\x3c\0\0\0\x0f\x05\xeb\xfe"


def say_and_restart(text):
    """write(1, text); reboot(LINUX_REBOOT_CMD_RESTART), for an /init of a few bytes."""
    tail = (b"\x0f\x05" b"\xb8\xa9\0\0\0" b"\xbf\xad\xde\xe1\xfe" b"\xbe\x69\x19\x12\x28"
            b"\xba\x67\x45\x23\x01" b"\x0f\x05" b"\xeb\xfe")
    head = b"\xb8\x01\0\0\0\xbf\x01\0\0\0\x48\x8d\x35"
    length = b"\xba" + struct.pack("<I", len(text))
    return head + struct.pack("<I", len(length) + len(tail)) + length + tail + text


def segment(**fields):
    """A program header; by default the code's PT_LOAD."""
    values = {"type": LOAD, "flags": 5, "offset": CODE, "vaddr": BASE + CODE, "paddr": 0,
              "filesz": 0x1000, "memsz": 0x1000, "align": 0x1000, **fields}
    return struct.pack("<IIQQQQQQ", *(values[name] & (1 << 64) - 1 if i > 1 else values[name]
                                      for i, name in enumerate(PROGRAM)))


def make(code, segments=None, size=0x2000, **fields):
    """A file of `size` bytes with `code`, program headers `segments`, header `fields` replaced."""
    segments = [segment()] if segments is None else segments
    data = bytearray(max(size, CODE + len(code)))
    data[:64] = struct.pack("<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, EXEC, 62, 1, BASE + CODE,
                            64, 0, 0, 64, 56, len(segments), 64, 0, 0)
    data[64:64 + 56 * len(segments)] = b"".join(segments)
    data[CODE:CODE + len(code)] = code
    for name, value in fields.items():
        offset, form = HEADER[name]
        struct.pack_into(form, data, offset, value)
    return bytes(data[:size])
