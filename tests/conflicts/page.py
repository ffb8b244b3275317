# SPDX-License-Identifier: BSD-2-Clause
"""The page about conflicts: both kernels' matrices as drawings, and each pair that shares lines with them.

One HTML file without anything from outside.
"""

import collections
import html as escaping

COLOURS = {"free": "#0b6e4f", "rare": "#8fc9a9", "shared": "#b3261e", "ordered": "#bbb",
           "failed": "#000"}
WORDS = {"free": "nothing is shared", "rare": "something is shared, by few operations",
         "shared": "each operation shares lines", "ordered": "POSIX makes the order show",
         "failed": "no result"}
CELL = 15
STYLE = """
body { font: 15px/1.4 sans-serif; max-width: 72em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; font-size: 13px } td, th { padding: 2px 8px; text-align: left;
vertical-align: top } tr:nth-child(even) { background: #f4f4f1 } svg { margin: 0.5em 1em 0.5em 0 }
summary { cursor: pointer } code { font-size: 12px } .kernel { display: inline-block; vertical-align: top }
"""


def worst(pairs):
    """Lines that pairs which commute share often, most pairs first: [(text, [(Pair, Shared)])]."""
    victims = collections.defaultdict(list)
    for pair in pairs:
        if pair.verdict == "shared":
            for shared in pair.often():
                victims[shared.name.text].append((pair, shared))
    return sorted(victims.items(), key=lambda item: (-len(item[1]), item[0]))


def text_at(x, y, text, anchor="end", turn=""):
    return '<text x="%.1f" y="%.1f" text-anchor="%s" font-size="11" font-family="sans-serif"%s>%s</text>' % (
        x, y, anchor, turn, escaping.escape(text))


def matrix(pairs, sharing):
    """A drawing of one kernel's pairs of one kind: half a square, row and column an operation each."""
    mine = {(pair.a, pair.b): pair for pair in pairs if pair.sharing == sharing}
    names = list(dict.fromkeys(name for key in mine for name in key))
    left = top = 95
    size = CELL * len(names)
    shapes = []
    for i, name in enumerate(names):
        middle = i * CELL + CELL * 0.75
        shapes.append(text_at(left - 4, top + middle, name))
        shapes.append(text_at(0, 0, name, "start", ' transform="translate(%.1f %d) rotate(-60)"'
                              % (left + middle, top - 4)))
    for (a, b), pair in mine.items():
        row, column = sorted((names.index(a), names.index(b)), reverse=True)
        shapes.append('<rect x="%d" y="%d" width="%d" height="%d" fill="%s"><title>%s: %s</title></rect>' % (
            left + column * CELL, top + row * CELL, CELL - 1, CELL - 1, COLOURS[pair.verdict],
            escaping.escape(pair.name), "%s%s" % (pair.verdict, "".join(
                "\n%s" % escaping.escape(shared.name.text) for shared in pair.often()[:12]))))
    return '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" role="img">%s</svg>' % (
        left + size + 60, top + size + 4, "".join(shapes))


def legend():
    return "<p>%s</p>" % " &#160; ".join('<span style="color:%s">&#9632;</span> %s: %s' % (
        COLOURS[verdict], verdict, WORDS[verdict]) for verdict in WORDS)


def users(shared, namer):
    rows = sorted(shared.users.items(), key=lambda item: -sum(item[1]))[:10]
    return "<br>".join("CPU %d, %d reads, %d writes: <code>%s</code>" % (
        cpu, reads, writes, escaping.escape(namer.place(pc))) for (cpu, pc), (reads, writes) in rows)


def worst_table(pairs, namer):
    rows = []
    for text, victims in worst(pairs)[:40]:
        names = ", ".join(pair.name for pair, _ in victims)
        rows.append("<tr><td>%d</td><td>%s%s</td><td><details><summary>%s</summary>%s</details></td><td>%s</td></tr>" % (
            len(victims), escaping.escape(text), "" if victims[0][1].same_bytes else " (different bytes)",
            escaping.escape(victims[0][0].name), escaping.escape(names), users(victims[0][1], namer)))
    return "<table><tr><th>pairs</th><th>line</th><th>which</th><th>in the first of them</th></tr>%s</table>" % (
        "".join(rows))


def html(results, namers, summary):
    """The whole page for {kernel: {name: Pair}}; summary(pairs) gives totals."""
    parts = []
    for kernel, pairs in results.items():
        total, never, free = summary(pairs.values())
        parts.append("<p>%s: %d of %d pairs that commute are conflict-free, <b>%.1f %%</b> (%d share nothing at "
                     "all).</p>" % (kernel, free, total, 100 * free / max(total, 1), never))
    parts.append(legend())
    some = next(iter(results.values()))
    for sharing in dict.fromkeys(pair.sharing for pair in some.values()):
        parts.append("<h2>%s</h2>" % sharing)
        parts += ['<div class="kernel"><b>%s</b><br>%s</div>' % (kernel, matrix(pairs.values(), sharing))
                  for kernel, pairs in results.items()]
    ordered = [pair for pair in some.values() if pair.reason]
    parts.append("<h2>Ordered by POSIX</h2><table>%s</table>" % "".join(
        "<tr><td>%s</td><td>%s</td></tr>" % (escaping.escape(pair.name), escaping.escape(pair.reason))
        for pair in ordered))
    for kernel, pairs in results.items():
        parts.append("<h2>Most shared on %s</h2>%s" % (kernel, worst_table(pairs.values(), namers[kernel])))
    return ('<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Conflicts</title><style>%s</style>'
            "<h1>Cache lines that two operations share</h1>%s</html>\n" % (STYLE, "\n".join(parts)))
