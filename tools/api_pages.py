"""Write the API pages for authors of backends into `docs/api/` from the docstrings, or check that they are current.

Run it as `uv run tools/api_pages.py`, with `--check` to change nothing. griffe reads the sources without importing
them, as mkdocstrings does, and parses the docstrings as Google's.
"""

from __future__ import annotations

import argparse
import builtins
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "api"
SOURCES = ("conformance/src", "packages/remote-store-core/src")
NOTE = "<!-- Generated from docstrings by tools/api_pages.py; edit those. -->\n"
WIDTH = 100
SUITE, CORE = "remote_store.conformance", "remote_store.core"


@dataclass(frozen=True)
class Page:
    """A page of the API.

    Attributes:
        title: Its title.
        purpose: What the reader gets from it.
        module: The module from which its names are imported.
        names: The names, in order.
    """

    title: str
    purpose: str
    module: str
    names: tuple[str, ...]


PAGES = {
    "backend": Page("Backend", "The class that you implement, and its capabilities.", CORE, ("Backend", "Capability")),
    "async-backend": Page(
        "AsyncBackend",
        "The class that you implement for an asynchronous client, and what helps with it.",
        CORE,
        ("AsyncBackend", "AsyncReader", "AsyncSource", "AsyncBinaryIO", "ThreadedBackend"),
    ),
    "models": Page(
        "Results",
        "What the methods of a backend return.",
        CORE,
        (
            "FileInfo", "FolderEntry", "FolderInfo", "WriteResult", "ContentDigest", "ResolutionPlan", "NotModified",
            "Outcome", "FileVersion", "PresignedPost", "UnfinishedUpload",
        ),
    ),
    "errors": Page(
        "Errors",
        "What the methods of a backend raise.",
        CORE,
        (
            "RemoteStoreError", "NotFound", "AlreadyExists", "InvalidPath", "DirectoryNotEmpty", "PermissionDenied",
            "PreconditionFailed", "CapabilityNotSupported", "BackendUnavailable", "ChecksumMismatch", "ObjectArchived",
            "InvalidConfiguration",
        ),
    ),
    "options": Page(
        "Options",
        "The keyword arguments of optional capabilities.",
        CORE,
        (
            "ReadOptions", "ConditionalReadOptions", "WriteOptions", "CopyOptions", "MoveOptions", "DeleteOptions",
            "PostCondition", "ConditionalWrites",
        ),
    ),
    "helpers": Page(
        "Helpers",
        "Functions and classes that check arguments, read contents, make files of ranges and match patterns.",
        CORE,
        (
            "require_text", "require_file_path", "require_canonical", "check_content_type", "check_metadata",
            "check_tags", "check_range", "check_max_depth", "Source", "Reader", "RangeReader", "GlobPattern",
            "RemotePath", "Secret", "RetryPolicy", "SupportsRead", "SupportsAsyncRead",
        ),
    ),
    "wrappers": Page(
        "Wrappers",
        "Backends over another backend, to add behaviour without writing every method.",
        CORE,
        ("DelegatingBackend", "AsyncDelegatingBackend"),
    ),
    "suite": Page(
        "The suite",
        "Test classes for a backend, and what you need to write checks of your own.",
        SUITE,
        (
            "BackendConformance", "AsyncBackendConformance", "check", "async_check", "Case", "AsyncCase",
            "not_applicable", "untested", "CheckFailed",
        ),
    ),
    "harness": Page(
        "The harness",
        "What tells the suite how to make the backend, and facts about its storage.",
        SUITE,
        (
            "Harness", "AsyncHarness", "ThreadedHarness", "ChildHarness", "AsyncChildHarness", "Profile",
            "StorageFault", "Oracle", "RawHead", "OracleRefused",
        ),
    ),
    "rules": Page(
        "Rules and deviations",
        "The rules of the contract as data, and the rules that a backend is known to break.",
        SUITE,
        (
            "CONTRACT_VERSION", "rules", "rule", "areas", "Rule", "Area", "rule_pages", "RulePage", "Deviation",
            "load_deviations", "join_deviations", "ConfigurationError",
        ),
    ),
    "endpoint": Page(
        "The endpoint and other processes",
        "A proxy in front of an HTTP server, which counts requests and injects faults, and a second process.",
        SUITE,
        ("Endpoint", "Injection", "use_elsewhere", "Seen", "NotImportable"),
    ),
    "faults": Page(
        "Faults of an endpoint",
        "What an `Endpoint` injects.",
        f"{SUITE}.faults",
        (
            "Fault", "Answer", "LostAnswer", "Reset", "Stall", "Trickle", "ShortBody", "Early", "ErrorInOK",
            "DropHeaders", "RewriteHeaders", "RewriteBody", "DamageRequest", "TruncateRequest", "Call", "Request",
            "Headers", "operation_of", "gather",
        ),
    ),
    "s3": Page(
        "S3",
        "The complete harness of a backend over S3, with servers and an oracle.",
        f"{SUITE}.s3",
        (
            "S3Harness", "AsyncS3Harness", "OPTIONS", "S3Target", "MOTO", "MOTO_STRICT", "SEAWEEDFS", "started",
            "S3Oracle", "S3OracleError", "S3OracleRefused", "installed_lanes", "installed_async_lanes",
        ),
    ),
}  # fmt: skip


PUBLIC = {name for page in PAGES.values() for name in page.names}


def written() -> dict[str, str]:
    """The text of every page, by file name."""
    loader = griffe.GriffeLoader(
        search_paths=[ROOT / source for source in SOURCES],
        docstring_parser="google",
        # Types stand in signatures, and a class may have its parameters in `__new__`.
        docstring_options={"warn_missing_types": False, "warn_unknown_params": False},
    )
    for name in (SUITE, CORE):
        loader.load(name)
    loader.resolve_aliases(implicit=True)
    root = loader.modules_collection["remote_store"]
    pages = {f"{name}.md": "\n".join(lines(page, root)) for name, page in PAGES.items()}
    return {"README.md": "\n".join(index()), **pages}


def index() -> Iterator[str]:
    """The lines of the page that lists the others."""
    yield from ("# API for authors of backends", "", NOTE)
    yield from ("[Writing a backend](../writing-a-backend.md) shows how the parts belong together.", "")
    yield from ("| page | import from | content |", "|---|---|---|")
    for name, page in PAGES.items():
        yield f"| [{page.title}]({name}.md) | `{page.module}` | {page.purpose} |"
    yield ""


def lines(page: Page, root: griffe.Object | griffe.Alias) -> Iterator[str]:
    """The lines of a page."""
    yield from (f"# {page.title}", "", NOTE, page.purpose, "", f"```python\nfrom {page.module} import ...\n```", "")
    shown: dict[str, str] = {}
    for name in page.names:
        found = target(root[page.module.removeprefix("remote_store.")][name])
        yield from (f"## {name}", "")
        if isinstance(found, griffe.Class):
            yield from class_lines(name, found, shown)
        elif isinstance(found, griffe.Function):
            yield from signed(name, found.parameters, str(found.returns or ""))
            yield from described(found)
        else:
            yield from (f"```python\n{name}{typed(found)}\n```", "")
            yield from described(found)


def class_lines(name: str, found: griffe.Class, shown: dict[str, str]) -> Iterator[str]:
    """The lines of a class and of its members, without those that the page has shown of another class.

    Args:
        name: The name under which it is imported.
        found: The class.
        shown: The class that showed a member, by the path of the member; completed.
    """
    yield from signed(f"class {name}", constructor(found), "")
    if bases := [f"`{base}`" for base in map(str, found.bases) if base in PUBLIC or hasattr(builtins, base)]:
        yield from (f"Bases: {', '.join(bases)}", "")
    yield from described(found)
    for base in found.mro():
        if base.name not in PUBLIC and base.docstring is not None:
            for section in base.docstring.parsed:
                yield from sections(base, section) if section.kind is griffe.DocstringSectionKind.attributes else ()
    others: set[str] = set()
    for member in members(found):
        if (owner := shown.setdefault(member.path, name)) != name:
            others.add(owner)
            continue
        yield from (f"### {name}.{member.name}", "")
        if isinstance(member, griffe.Function):
            prefix = "async " if "async" in member.labels else ""
            yield from signed(f"{prefix}def {member.name}", member.parameters, str(member.returns or ""))
        else:
            yield from (f"```python\n{member.name}{typed(member)}\n```", "")
        yield from described(member)
    if others:
        yield from (f"Its other members are those of {' and '.join(f'`{other}`' for other in sorted(others))}.", "")


def constructor(found: griffe.Class) -> Iterable[griffe.Parameter]:
    """The parameters of `__init__`, or else of `__new__`."""
    new = found.all_members.get("__new__")
    return found.parameters or (getattr(target(new), "parameters", ()) if new is not None else ())


def members(found: griffe.Class) -> Iterator[griffe.Object]:
    """The public members with a docstring, those of base classes too. A check is no member."""
    for name, member in found.all_members.items():
        if not name.startswith(("_", "test_")) and (own := target(member)).docstring is not None:
            yield own


def target(found: griffe.Object | griffe.Alias) -> griffe.Object:
    """What an alias stands for."""
    return found.final_target if isinstance(found, griffe.Alias) else found


def typed(found: griffe.Object) -> str:
    """The annotation of an attribute or a property."""
    return f": {found.annotation}" if isinstance(found, griffe.Attribute) and found.annotation else ""


def signed(head: str, parameters: Iterable[griffe.Parameter], returns: str) -> Iterator[str]:
    """The lines of a signature, one for each parameter if it is long."""
    parts: list[str] = []
    for parameter in parameters:
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is griffe.ParameterKind.keyword_only and not any(part.startswith("*") for part in parts):
            parts.append("*")
        stars = {griffe.ParameterKind.var_positional: "*", griffe.ParameterKind.var_keyword: "**"}
        variadic = stars.get(parameter.kind or griffe.ParameterKind.positional_or_keyword, "")
        text = variadic + parameter.name + (f": {parameter.annotation}" if parameter.annotation else "")
        parts.append(text if variadic or parameter.default is None else f"{text} = {parameter.default}")
    end = f" -> {returns}" if returns else ""
    line = f"{head}({', '.join(parts)}){end}" if parts or not head.startswith("class ") else head
    if len(line) > WIDTH:
        line = f"{head}(\n" + "".join(f"    {part},\n" for part in parts) + f"){end}"
    yield from (f"```python\n{line}\n```", "")


def described(found: griffe.Object) -> Iterator[str]:
    """The lines of a docstring."""
    if found.docstring is None:
        return
    for section in found.docstring.parsed:
        yield from sections(found, section)


def sections(found: griffe.Object, section: griffe.DocstringSection) -> Iterator[str]:
    """The lines of a section of a docstring."""
    if isinstance(section, griffe.DocstringSectionText):
        yield from (section.value, "")
    elif isinstance(section, griffe.DocstringSectionAdmonition):
        yield from (f"**{section.title}**", "", section.value.description, "")
    elif isinstance(section, griffe.DocstringSectionAttributes):
        yield from table("Attributes", ((attribute(found, item.name), item.description) for item in section.value))
    elif isinstance(section, griffe.DocstringSectionParameters):
        yield from table("Arguments", ((f"`{item.name}`", item.description) for item in section.value))
    elif isinstance(section, griffe.DocstringSectionRaises):
        yield from table("Raises", ((f"`{item.annotation}`", item.description) for item in section.value))
    elif isinstance(section, griffe.DocstringSectionReturns | griffe.DocstringSectionYields):
        yield from (f"**Returns** {' '.join(item.description for item in section.value)}", "")
    else:
        raise TypeError(f"{found.path}: a section {section.kind.value!r}, which this tool does not write")


def attribute(found: griffe.Object, name: str) -> str:
    """An attribute with its type, as the source states it."""
    member = found.all_members.get(name)
    return f"`{name}{typed(target(member)) if member is not None else ''}`"


def table(what: str, rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A section as a table."""
    yield from (f"| {what} | |", "|---|---|")
    for row in rows:
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def main() -> int:
    """Write the pages, or with `--check` return 1 if one is not current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail if a page is not current")
    options = parser.parse_args()
    pages = written()
    there = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.md")}
    wrong = sorted(name for name in pages.keys() | there.keys() if pages.get(name) != there.get(name))
    if options.check:
        for name in wrong:
            print(f"docs/api/{name} is not current; run tools/api_pages.py", file=sys.stderr)
        return int(bool(wrong))
    FOLDER.mkdir(exist_ok=True)
    for name in wrong:
        if name in pages:
            (FOLDER / name).write_text(pages[name], "utf-8")
        else:
            (FOLDER / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
