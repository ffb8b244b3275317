# SPDX-License-Identifier: BSD-2-Clause
"""A VM with a display and a keyboard, and a person who looks at the one and types on the other.

Model: QEMU is told over QMP which keys go down and up, and to write the picture to a file. Text is
read from a picture cell by cell with a font that was learned before from a picture of known text:
what a glyph looks like does not matter, that each has its own look does.
"""

import re
import time

import qmp
import vm

GLYPH_HEIGHT = 16
# The width of a cell by that of the picture: 720 is text mode, whose glyphs are 9 wide.
GLYPH_WIDTHS = {720: 9, 640: 8, 800: 8, 1024: 8, 1280: 8}
BLACK = b"\0\0\0"
PRINTABLE = "".join(map(chr, range(0x21, 0x7f)))

# QEMU's names of the keys of a US keyboard that are not their character.
NAMES = {" ": "spc", "\n": "ret", "\t": "tab", "\x1b": "esc", "\x7f": "backspace", "-": "minus",
         "=": "equal", "[": "bracket_left", "]": "bracket_right", ";": "semicolon",
         "'": "apostrophe", "`": "grave_accent", "\\": "backslash", ",": "comma", ".": "dot",
         "/": "slash"}
SHIFTED = dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./"))


class Picture:
    """What the display shows: a file in the PPM format, raw, 8 bits a colour."""

    def __init__(self, path):
        with open(path, "rb") as picture:
            kind, size, _depth, self.pixels = picture.read().split(b"\n", 3)
        self.width, self.height = map(int, size.split())
        if kind != b"P6" or len(self.pixels) != self.width * self.height * 3:
            raise ValueError("not a whole picture")
        self.cell_width = GLYPH_WIDTHS[self.width]
        self.columns, self.rows = self.width // self.cell_width, self.height // GLYPH_HEIGHT

    def cell(self, column, row):
        """The pixels of one cell, line by line."""
        step, size = self.width * 3, self.cell_width * 3
        start = row * GLYPH_HEIGHT * step + column * size
        return b"".join(self.pixels[at:at + size]
                        for at in range(start, start + GLYPH_HEIGHT * step, step))


def colours(cell):
    """The colours in a cell."""
    return {cell[at:at + 3] for at in range(0, len(cell), 3)}


def shape(cell):
    """Which pixels of a cell are lit, in any colour."""
    return bytes(cell[at:at + 3] != BLACK for at in range(0, len(cell), 3))


class Display(vm.Terminal):
    """A VM whose serial console is a terminal, with a display and a keyboard besides."""

    def __init__(self, machine, folder):
        self.picture_file = folder + "/picture.ppm"
        self.font, self.seen = {}, ""
        machine.extra += ["-vga", "std"]
        self.control = qmp.Control(machine, folder)
        super().__init__(machine)
        self.control.connect(self)
        self.command = self.control.command

    # --- the keyboard ---

    def press(self, *keys):
        """Presses keys together and lets them go; names as QEMU has them ("ctrl", "c").

        Waits until the guest has taken them: the keyboard forgets what it has no room for. Bit 0 of
        the controller's status says that there is something to take.
        """
        events = [(key, True) for key in keys] + [(key, False) for key in reversed(keys)]
        self.command("input-send-event", events=[
            {"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": key}}}
            for key, down in events])
        deadline = time.monotonic() + 5 * vm.SCALE
        while time.monotonic() < deadline:
            status = self.command("human-monitor-command", **{"command-line": "i /b 0x64"})
            if not int(status.split()[-1], 16) & 1:
                return
            time.sleep(0.002)

    def keys(self, text):
        """Types `text` on the keyboard, with a pause after Escape as in Terminal.type()."""
        for character in text:
            shift = character in SHIFTED or character.isupper()
            character = SHIFTED.get(character, character.lower())
            self.press(*["shift"] * shift, NAMES.get(character, character))
            time.sleep(1.0 if character == "\x1b" else 0)

    # --- the display ---

    def look(self):
        """A picture of the display."""
        self.command("screendump", filename=self.picture_file)
        return Picture(self.picture_file)

    def learn(self, picture):
        """Learns the font from a display that shows PRINTABLE from its upper left corner on.

        Returns how many different looks there are.
        """
        blank = picture.cell(picture.columns - 1, picture.rows - 1)
        self.font = {shape(blank): " "}
        for at, character in enumerate(PRINTABLE):
            self.font[shape(picture.cell(at % picture.columns, at // picture.columns))] = character
        return len(self.font) - 1

    def lines(self, picture):
        """The lines on the display; what is no known character (the cursor) is a DEL."""
        known = {}

        def read(cell):
            if cell not in known:
                known[cell] = self.font.get(shape(cell), "\x7f")
            return known[cell]

        return ["".join(read(picture.cell(column, row)) for column in range(picture.columns))
                for row in range(picture.rows)]

    def shows(self, pattern, seconds=10):
        """Waits until the display's text has `pattern`; the match, or None."""
        deadline = min(time.monotonic() + seconds * vm.SCALE, self.deadline)
        while not self.over:
            self.seen = "\n".join(line.rstrip() for line in self.lines(self.look()))
            found = re.search(pattern, self.seen, re.M)
            if found or time.monotonic() > deadline:
                return found
            time.sleep(0.1)
        return None
