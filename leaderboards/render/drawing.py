"""What the pictures are drawn with: their colours, lines of text, and the card around them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from xml.sax.saxutils import escape

EDGE, LINE, LETTER = 16, 18, 8  # margin, height of a line, generous width of a letter, pixels
LONGEST = 20  # characters of a name that fit
STYLE = """
svg { font: 13px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif }
.card { fill: #ffffff; stroke: #d9dee6 } text { fill: #1b2430 } .muted { fill: #566273 } .bold { font-weight: 600 }
.empty { fill: #f6f7f9 } .heatp0 { fill: #eef1f6 }
.heatp1 { fill: #dbe9f8 } .heatp2 { fill: #b3d1f0 } .heatp3 { fill: #7fb1e3 } .heatp4 { fill: #4a8fd1 }
.heatm1 { fill: #fdebd8 } .heatm2 { fill: #fad2a9 } .heatm3 { fill: #f3af6b } .heatm4 { fill: #e48a33 }
.axis { stroke: #d9dee6 } .zero { stroke: #566273 }
.better, .worse, .open { stroke-width: 2 }
.better { stroke: #2f74b8; fill: #2f74b8 } .worse { stroke: #c9701c; fill: #c9701c }
.open { stroke: #7b8697; fill: #7b8697 }
"""


def text(x: float, y: float, value: str, kind: str = "", anchor: str = "start") -> str:
    """Write a line of text; ``kind`` are classes of the style."""
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(value)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """Draw a line."""
    return f'<line x1="{x1:.1f}" y1="{y1:g}" x2="{x2:.1f}" y2="{y2:g}" class="{kind}"/>'


def short(name: str) -> str:
    """Cut a name to what fits."""
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def wrapped(words: str, width: float, y: float, kind: str) -> list[str]:
    """Write words on as many lines as a picture of some width needs, the first at the height ``y``."""
    lines = textwrap.wrap(words, int(width - 2 * EDGE) // LETTER)
    return [text(EDGE, y + LINE * index, each, kind) for index, each in enumerate(lines)]


def picture(width: float, height: float, parts: Sequence[str], label: str) -> str:
    """Put parts on a card; ``label`` is what a reader who cannot see it is told."""
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    card = f'<rect class="card" x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1:g}" rx="8"/>'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}">'
    return "\n".join([head, f"<style>{STYLE}</style>", card, *parts, "</svg>", ""])
