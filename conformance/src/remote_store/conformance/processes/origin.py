"""Finds the author's line in a traceback or in a running thread."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

import remote_store.core

SUITE = str(Path(__file__).parent.parent)
CORE = str(Path(remote_store.core.__file__).parent)
STANDARD = sysconfig.get_path("stdlib")
PACKAGES = "site-packages"


def may_be_the_authors(file: str) -> bool:
    """Whether a file is neither of this suite nor of the standard library."""
    if file.startswith(SUITE) or not Path(file).is_file():
        return False
    return PACKAGES in file or not file.startswith(STANDARD)


def origin(error: BaseException) -> str:
    """Where the author's code raised an exception, as ` in name (file, line 1)`; empty if it was not raised there.

    Of an installed backend it is the innermost line of any installed package.
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if may_be_the_authors(frame.filename)]
    beyond_core = [frame for frame in frames if not frame.filename.startswith(CORE)]
    own = [frame for frame in beyond_core if PACKAGES not in frame.filename]
    innermost = [each[-1] for each in (own, beyond_core) if each]
    return f" in {innermost[0].name} ({innermost[0].filename}, line {innermost[0].lineno})" if innermost else ""
