# SPDX-License-Identifier: BSD-2-Clause
"""The report's page: a table and a plot for each section, as one HTML file without anything from outside.

A plot has a pair of bars a row. Where values differ by orders of magnitude (operations) the bars are
ratios to Linux, so that the target is one line across all of them.
"""

import html as escaping
import math

COLOURS = {"Tessera": "#0b6e4f", "Linux": "#c08a2b"}
STYLE = """
body { font: 15px/1.4 sans-serif; max-width: 62em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; font-size: 14px } td, th { padding: 2px 10px; text-align: right }
td:first-child, th:first-child { text-align: left } tr:nth-child(even) { background: #f4f4f1 }
.pass { color: #0b6e4f } .LOSE { color: #b3261e; font-weight: bold } .spread { color: #777 }
svg { margin: 1em 0 } h2 { margin-top: 2em }
"""


class Svg:
    """Collects the shapes of one drawing."""

    def __init__(self, width, height):
        self.width, self.height, self.shapes = width, height, []

    def rect(self, x, y, width, height, fill):
        self.shapes.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"/>'
                           % (x, y, max(width, 0), height, fill))

    def line(self, x1, y1, x2, y2, stroke, dash=""):
        self.shapes.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"%s/>'
                           % (x1, y1, x2, y2, stroke, ' stroke-dasharray="%s"' % dash if dash else ""))

    def text(self, x, y, text, anchor="start", fill="#222", size=12):
        self.shapes.append('<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s" font-size="%d" '
                           'font-family="sans-serif">%s</text>'
                           % (x, y, anchor, fill, size, escaping.escape(text)))

    def render(self):
        return '<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" role="img">%s</svg>' % (
            self.width, self.height, "".join(self.shapes))


def nice_step(highest):
    """A round distance between grid lines, so that there are four to ten."""
    if highest <= 0:
        return 1
    power = 10 ** math.floor(math.log10(highest))
    return next(power * part for part in (0.1, 0.2, 0.5, 1) if highest / (power * part) <= 10)


def short(value):
    return "%.3g" % value if value < 1000 else "%.0f" % value


def bars(rows, names, value, marks):
    """A horizontal bar a kernel and row; `value(row, name)` is its length or None, `marks(row)` a target."""
    left, right, pair = 250, 70, 16 * len(names) + 8
    drawing = Svg(900, pair * len(rows) + 40)
    highest = max([value(row, name) or 0 for row in rows for name in names]
                  + [marks(row) or 0 for row in rows] + [1e-9])
    scale = (drawing.width - left - right) / highest
    bottom = pair * len(rows) + 8
    step = nice_step(highest)
    for i in range(int(highest / step) + 1):
        x = left + i * step * scale
        drawing.line(x, 4, x, bottom, "#ddd")
        drawing.text(x, bottom + 15, short(i * step), "middle", "#777", 11)
    for i, row in enumerate(rows):
        top = 8 + i * pair
        drawing.text(left - 8, top + 8 * len(names) + 4, row.name, "end")
        for k, name in enumerate(names):
            length = value(row, name)
            if length is None:
                continue
            drawing.rect(left, top + k * 16, length * scale, 13, COLOURS[name])
            drawing.text(left + length * scale + 4, top + k * 16 + 11, short(length), size=11)
        if marks(row):
            x = left + marks(row) * scale
            drawing.line(x, top - 3, x, top + pair - 6, "#b3261e", "3 2")
    return drawing.render()


def legend(names):
    parts = ['<span style="color:%s">&#9632; %s</span>' % (COLOURS[name], name) for name in names]
    return "<p>%s &#160; <span style=\"color:#b3261e\">&#9478; target</span></p>" % " &#160; ".join(parts)


def plot(title, rows, names):
    """Ratios for operations, values for the rest."""
    if "operation" in title:
        rows = [row for row in rows if row.ratio is not None]
        return "<p>Tessera's cost as a part of Linux's:</p>" + \
            bars(rows, names[:1], lambda row, name: row.ratio, lambda row: row.target) if rows else ""
    return legend(names) + bars(rows, names, lambda row, name: row.median[name], lambda row: row.limit or (
        row.target * row.median["Linux"] if row.target and row.median["Linux"] else None))


def cell(value, spread):
    if value is None:
        return "<td>-</td>"
    text = "%.2f" % value if abs(value) < 100 else "{:,.0f}".format(value)
    return '<td>%s <span class="spread">&#177;%.1f %%</span></td>' % (text, 100 * (spread or 0))


def table(rows, names):
    head = "".join("<th>%s</th>" % text for text in ("", *names, "ratio", "target", ""))
    body = []
    for row in rows:
        cells = ["<td>%s</td>" % escaping.escape(row.name)]
        cells += [cell(row.median[name], row.spread[name]) for name in names]
        cells += ["<td>%s</td>" % ("%.3f" % row.ratio if row.ratio is not None else "-"),
                  "<td>%s</td>" % row.goal, '<td class="%s">%s</td>' % (row.verdict, row.verdict)]
        body.append("<tr>%s</tr>" % "".join(cells))
    return "<table><tr>%s</tr>%s</table>" % (head, "".join(body))


def html(sections, names):
    """The whole page for (title, rows) pairs."""
    parts = []
    for title, rows in sections:
        if rows:
            parts += ["<h2>%s</h2>" % escaping.escape(title), plot(title, rows, names), table(rows, names)]
    return ('<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Tessera beside Linux</title>'
            "<style>%s</style><h1>Tessera beside Debian's Linux</h1><p>Medians of one run in which the kernels "
            "took turns; &#177; is half the middle half. Less is better everywhere.</p>%s</html>\n"
            % (STYLE, "\n".join(parts)))
