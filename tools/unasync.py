"""Write the synchronous twins of asynchronous sources, or check that they are current.

Run it as `uv run tools/unasync.py`, with `--check` to change nothing, and with paths of sources to take only those.
"""

from __future__ import annotations

import argparse
import difflib
import io
import itertools
import re
import subprocess
import sys
import textwrap
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).resolve().parent.parent
CORE = "packages/remote-store-core/src/remote_store/core"
CONFORMANCE = "conformance/src/remote_store/conformance"
SUITE = f"{CONFORMANCE}/suite"
FSSPEC = "packages/remote-store-fsspec/src/remote_store/fsspec/operations"

FILES = {
    f"{CORE}/aio/backend.py": f"{CORE}/backend.py",
    f"{CORE}/aio/optional.py": f"{CORE}/optional.py",
    f"{CORE}/aio/delegating.py": f"{CORE}/delegating.py",
    f"{CORE}/aio/blocks.py": f"{CORE}/io/blocks.py",
    f"{CORE}/async_store.py": f"{CORE}/store.py",
    f"{CORE}/stores/async_bulk.py": f"{CORE}/stores/bulk.py",
    f"{CORE}/stores/async_integrity.py": f"{CORE}/stores/integrity.py",
    f"{CORE}/stores/async_rooted.py": f"{CORE}/stores/rooted.py",
    f"{CORE}/stores/async_sharing.py": f"{CORE}/stores/sharing.py",
    f"{CORE}/stores/async_swapping.py": f"{CORE}/stores/swapping.py",
    f"{CORE}/stores/async_uploads.py": f"{CORE}/stores/uploads.py",
    f"{CORE}/stores/async_versions.py": f"{CORE}/stores/versions.py",
    f"{CORE}/s3/aio_backend.py": f"{CORE}/s3/backend.py",
    f"{CORE}/s3/aio_base.py": f"{CORE}/s3/base.py",
    f"{CORE}/s3/aio_uploads.py": f"{CORE}/s3/uploads.py",
    f"{CORE}/s3/aio_bulk.py": f"{CORE}/s3/bulk.py",
    f"{CORE}/s3/aio_presigning.py": f"{CORE}/s3/presigning.py",
    f"{CORE}/s3/aio_probing.py": f"{CORE}/s3/probing.py",
    f"{CORE}/s3/aio_versions.py": f"{CORE}/s3/versions.py",
    f"{CORE}/s3/engine/aio_ahead.py": f"{CORE}/s3/engine/ahead.py",
    f"{CORE}/s3/engine/aio_bodies.py": f"{CORE}/s3/engine/bodies.py",
    f"{CORE}/s3/engine/aio_credentials.py": f"{CORE}/s3/engine/credentials.py",
    f"{CORE}/s3/engine/aio_reader.py": f"{CORE}/s3/engine/reader.py",
    f"{CORE}/s3/engine/aio_runner.py": f"{CORE}/s3/engine/runner.py",
    f"{CONFORMANCE}/checking/async_cleanup.py": f"{CONFORMANCE}/checking/cleanup.py",
    f"{CONFORMANCE}/checking/async_trees.py": f"{CONFORMANCE}/checking/trees.py",
    f"{CONFORMANCE}/checking/async_usages.py": f"{CONFORMANCE}/checking/usages.py",
    f"{CONFORMANCE}/model/async_perform.py": f"{CONFORMANCE}/model/perform.py",
    f"{CONFORMANCE}/stores/async_child.py": f"{CONFORMANCE}/stores/child.py",
}
FOLDERS = {f"{SUITE}/aio": SUITE, f"{FSSPEC}/aio": FSSPEC}

MODULES = {
    r"\bremote_store\.core\.s3\.((?:engine\.)?)aio_": r"remote_store.core.s3.\1",
    r"\bremote_store\.core\.aio\.(?=blocks|outcomes|reader|streams)": "remote_store.core.io.",
    r"\bremote_store\.core\.aio\b": "remote_store.core",
    r"\bremote_store\.conformance\.suite\.aio\b": "remote_store.conformance.suite",
    r"\bremote_store\.fsspec\.operations\.aio\b": "remote_store.fsspec.operations",
}
WORDS = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "aclose": "close",
    "aclosing": "closing",
    "aiter": "iter",
    "anext": "next",
    "asynccontextmanager": "contextmanager",
    "enter_async_context": "enter_context",
    "push_async_exit": "push",
    "push_async_callback": "callback",
}
HOOKS = (
    "cat",
    "cat_file",
    "cat_ranges",
    "checksum",
    "copy",
    "cp_file",
    "created",
    "du",
    "exists",
    "expand_path",
    "find",
    "get",
    "get_file",
    "glob",
    "head",
    "info",
    "isdir",
    "isfile",
    "ls",
    "makedirs",
    "mkdir",
    "modified",
    "mv",
    "pipe_file",
    "put",
    "put_file",
    "rm",
    "rm_file",
    "rmdir",
    "sign",
    "size",
    "tail",
    "touch",
    "ukey",
    "walk",
)
WORDS_OF = {
    f"{FSSPEC}/aio": {
        "asyn": "spec",
        "AsyncFileSystem": "AbstractFileSystem",
        **{f"_{name}": name for name in HOOKS},
    },
}
"""Words of the sources in one folder. Where an `AbstractFileSystem` of fsspec has `ls`, an async one has `_ls`."""
HOMES = {"BinaryIO": "typing", "BufferedIOBase": "io"}
PARTS = [(r"Async(?=[A-Z])", ""), (r"\basync_(?=\w)", ""), (r"(?<=_)async_(?=\w)", ""), (r"(?<=\w)_async\b", "")]
IMPORT = re.compile(r"^(from remote_store[\w.]* import )(\([^)]*\)|[^(\n]*)$", re.MULTILINE)
TEXT = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


def pairs() -> dict[Path, Path]:
    """Each source with its twin. A folder without sources is listed like a missing source."""
    found = {ROOT / source: ROOT / twin for source, twin in FILES.items()}
    for folder, target in FOLDERS.items():
        home = ROOT / folder
        sources = sorted(home.rglob("*.py")) or [home / "__init__.py"]
        found |= {source: ROOT / target / source.relative_to(home) for source in sources}
    return found


def rename(word: str, words: Mapping[str, str]) -> str:
    """The synchronous word for an asynchronous one.

    Args:
        word: The word.
        words: Words of this source's folder only.

    Raises:
        ValueError: The word has no twin.
    """
    if word == "AsyncGenerator":
        raise ValueError("AsyncGenerator takes other arguments than Generator; annotate with AsyncIterator")
    if word in words:
        return words[word]
    if word in WORDS:
        return WORDS[word]
    for pattern, replacement in PARTS:
        word = re.sub(pattern, replacement, word)
    return word


def rename_text(text: str, words: Mapping[str, str]) -> str:
    """Convert the words of a string or comment. `await` is removed if code follows it."""
    text = re.sub(r"\bawait (?=[A-Za-z_]\w*[.(])", "", text)
    text = re.sub(r"\basync (?=(?:def|with|for)\b)", "", text)
    return re.sub(r"\w+", lambda match: rename(match[0], words), text)


def edits(source: str, words: Mapping[str, str]) -> Iterator[tuple[tuple[int, int], tuple[int, int], str]]:
    """The changes as start and end (line, column) and replacement, in source order."""
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    for token, following in itertools.pairwise(tokens):
        if token.string in {"async", "await"}:
            yield token.start, following.start, ""
        elif token.type == tokenize.NAME or token.type in TEXT:
            convert = rename if token.type == tokenize.NAME else rename_text
            new = convert(token.string, words)
            if new != token.string:
                yield token.start, token.end, new


def send_home(statement: re.Match[str]) -> str:
    """One of our imports, with names of the standard library imported from there."""
    names = [name.strip() for name in statement[2].strip("()").split(",") if name.strip()]
    moved = [f"from {HOMES[name]} import {name}" for name in names if name in HOMES]
    kept = ", ".join(name for name in names if name not in HOMES)
    return "\n".join([*moved, *([f"{statement[1]}{kept}"] if kept else [])]) if moved else statement[0]


def unasync(source: str, words: Mapping[str, str] = MappingProxyType({})) -> str:
    """The synchronous twin of a source, not yet formatted."""
    starts = [0, *itertools.accumulate(map(len, io.StringIO(source)))]
    text, position = [], 0
    for (row, column), (end_row, end_column), new in edits(source, words):
        text += [source[position : starts[row - 1] + column], new]
        position = starts[end_row - 1] + end_column
    result = "".join(text) + source[position:]
    for pattern, module in MODULES.items():
        result = re.sub(pattern, module, result)
    return IMPORT.sub(send_home, result)


def formatted(code: str, path: Path) -> str:
    """The code formatted by ruff, without unused imports and with sorted ones."""
    for arguments in (["check", "--fix", "--exit-zero", "--select", "I,F401"], ["format"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--quiet", "--stdin-filename", str(path), "-"]
        code = subprocess.run(command, input=code, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return code


def twin_of(source: Path, twin: Path) -> str:
    """The whole text of a twin, with the line that names its source."""
    header = f"Generated from {source.relative_to(ROOT).as_posix()} by tools/unasync.py; edit that."
    comment = textwrap.fill(header, 120, initial_indent="# ", subsequent_indent="# ")
    words = WORDS_OF.get(source.parent.relative_to(ROOT).as_posix(), {})
    return formatted(f"{comment}\n" + unasync(source.read_text("utf-8"), words), twin)


def orphans(table: dict[Path, Path]) -> list[Path]:
    """Generated files whose source no longer exists."""
    flat = {path for twin in table.values() for path in twin.parent.glob("*.py")}
    nested = {path for folder in FOLDERS.values() for path in (ROOT / folder).rglob("*.py")}
    files = sorted((flat | nested) - set(pairs().values()))
    return [path for path in files if path.read_text("utf-8").startswith("# Generated from ")]


def main() -> int:
    """Write or check the twins. With `--check`, print the difference and return 1 if one is stale."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where a twin is stale")
    parser.add_argument("sources", nargs="*", type=Path, help="sources to take, all of them by default")
    options = parser.parse_args()
    table = pairs()
    if options.sources:
        table = {source.resolve(): table[source.resolve()] for source in options.sources}
    stale = orphans(table)
    for path in stale:
        print(f"{path.relative_to(ROOT).as_posix()}: its source is gone, delete it")
    for source, twin in table.items():
        old = twin.read_text("utf-8") if twin.exists() else ""
        new = twin_of(source, twin)
        if old == new:
            continue
        name = twin.relative_to(ROOT).as_posix()
        if options.check:
            stale.append(twin)
            print(f"{name} is stale, run tools/unasync.py", flush=True)
            sys.stdout.writelines(
                difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, f"{name} anew")
            )
        else:
            twin.write_text(new, "utf-8")
            print(f"wrote {name}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
