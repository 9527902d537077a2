"""Draws the ratios of one lane as horizontal bars, in SVG without scripts and fonts."""

from __future__ import annotations

from html import escape

WIDTH, LABEL, ROW, TOP, BOTTOM = 760, 250, 26, 46, 30
MOST = 4.0
"""The ratio at the right edge. A longer bar is cut there, and its number shows the ratio."""


def bars(heading: str, rows: list[tuple[str, float]]) -> str:
    """A chart of how many times faster a lane is than the SDK below it; the line marks equal times.

    Args:
        heading: The text above the bars.
        rows: The operations with their ratios.
    """
    height = TOP + ROW * len(rows) + BOTTOM
    scale = (WIDTH - LABEL - 70) / MOST
    equal = LABEL + scale
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"',
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="26" font-size="15" font-weight="bold">{escape(heading)}</text>',
    ]
    for number, (label, ratio) in enumerate(rows):
        y = TOP + ROW * number
        length = min(ratio, MOST) * scale
        colour = "#2b7a4b" if ratio >= 1 else "#b0632c"
        parts += [
            f'<text x="{LABEL - 10}" y="{y + 16}" text-anchor="end">{escape(label)}</text>',
            f'<rect x="{LABEL}" y="{y + 4}" width="{length:.1f}" height="{ROW - 9}" fill="{colour}"/>',
            f'<text x="{LABEL + length + 6:.1f}" y="{y + 16}">{ratio:.2f}</text>',
        ]
    parts += [
        f'<line x1="{equal:.1f}" y1="{TOP - 4}" x2="{equal:.1f}" y2="{height - BOTTOM + 4}" stroke="#222222"/>',
        f'<text x="{equal:.1f}" y="{height - 8}" text-anchor="middle">1 = as fast as the SDK</text>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"
