"""The verdict as an SVG badge for a README."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

COLOURS = {"core": "#2f7d32", "core + capabilities": "#2f7d32", "partial": "#a15c00", "failing": "#b3261e"}
CHARACTER = 6.1
PADDING = 9


def badge(report: Mapping[str, Any]) -> str:
    """The badge as the text of an SVG file. It shows the contract version, the verdict, and the use of an emulator."""
    verdict = report["verdict"]
    label, value = f"remote-store {report['versions']['contract']}", worded(report)
    left, right = (round(2 * PADDING + CHARACTER * len(text)) for text in (label, value))
    title = (
        f"{label}: {verdict['text']}; {report['tier']} tier, {report['backend'].get('distribution') or report['name']}"
    )
    title += f", suite {report['versions']['suite']}"
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="22" role="img" aria-label="{escape(title)}">
 <title>{escape(title)}</title>
 <rect width="{left}" height="22" rx="4" fill="#40464f"/>
 <rect x="{left - 4}" width="4" height="22" fill="#40464f"/>
 <rect x="{left}" width="{right}" height="22" rx="4" fill="{COLOURS[verdict["level"]]}"/>
 <rect x="{left}" width="4" height="22" fill="{COLOURS[verdict["level"]]}"/>
 <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">
  <text x="{left / 2}" y="15" textLength="{left - 2 * PADDING}">{escape(label)}</text>
  <text x="{left + right / 2}" y="15" textLength="{right - 2 * PADDING}">{escape(value)}</text>
 </g>
</svg>
"""


def worded(report: Mapping[str, Any]) -> str:
    """The verdict as the text of the badge."""
    verdict, profile = report["verdict"], report["backend"].get("profile", {})
    count = len(verdict["capabilities"])
    text = f"core + {count} {'capability' if count == 1 else 'capabilities'}" if count else verdict["level"]
    text += f", {report['tier']} tier" if report["tier"] in ("smoke", "quick") else ""
    text += ", with deviations" if report["deviations"] else ""
    text += {"emulator": ", emulator only", "server": ", local server"}.get(profile.get("endpoint_kind"), "")
    return f"{text}, {report['date'][:10]}"
