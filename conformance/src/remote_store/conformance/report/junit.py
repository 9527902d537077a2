"""The report as JUnit XML, which CI systems display."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

# XML 1.0 cannot represent these characters, and keys may contain them.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SKIPPED = {"not-applicable", "untested", "deviation", "not-run"}


def junit(report: Mapping[str, Any]) -> str:
    """The report as the text of an XML file.

    A failed check of which no rule is required is shown as skipped, because a failure would fail the build.
    """
    checks = report["checks"]
    required = {
        entry["id"]
        for entry in report["rules"]
        if entry["binds"] and entry["level"] == "MUST" and not entry["provisional"]
    }
    kinds = [_kind(check, required) for check in checks]
    suite = ET.Element(
        "testsuite",
        name=f"remote-store-conformance {report['name']}",
        timestamp=report["date"],
        time=str(report["totals"]["seconds"]),
        tests=str(len(checks)),
        failures=str(kinds.count("failure")),
        errors=str(kinds.count("error")),
        skipped=str(kinds.count("skipped")),
    )
    properties = ET.SubElement(suite, "properties")
    facts = {"verdict": report["verdict"]["text"], "tier": report["tier"], **report["versions"]}
    for name, value in facts.items():
        ET.SubElement(properties, "property", name=name, value=_writable(str(value)))
    for check, kind in zip(checks, kinds, strict=True):
        name = f"{check['check']}[{check['variant']}]" if check["variant"] else check["check"]
        case = ET.SubElement(
            suite,
            "testcase",
            classname=f"{report['name']}.{'+'.join(check['rules'])}",
            name=_writable(name),
            time=str(check["seconds"]),
        )
        if kind:
            message = f"{check['outcome']}: {check['reason'].partition(chr(10))[0]}"
            ET.SubElement(case, kind, message=_writable(message)).text = _writable(check["reason"])
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _kind(check: Mapping[str, Any], required: set[str]) -> str:
    """The JUnit element of an outcome; empty if it passed."""
    if check["outcome"] in _SKIPPED or (check["outcome"] == "fail" and required.isdisjoint(check["rules"])):
        return "skipped"
    return {"fail": "failure", "error": "error"}.get(check["outcome"], "")


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
