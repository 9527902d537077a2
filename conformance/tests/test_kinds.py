"""Every kind of bug that once passed the suite has a broken backend in memory or on a disk, and one on a database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlite_store import SQLiteBackend

from holdout.collected import harness_of
from mutants.database import DatabaseBackend
from mutants.registry import every
from mutants.running import Ending, checks_of, run
from remote_store.core import Content, LocalBackend, MemoryBackend, NotFound, Source, WriteResult

KINDS = {
    "wrong only when large": ("JoinsPiecesInTextOrder", "SelectsPiecesInTextOrder"),
    "wrong by name": ("RewritesLineEndsOfText", "DropsCarriageReturns"),
    "a name that is taken for a format": ("FormatsSourcesOfCopies", "FormatsItsQueries"),
    "wrong order": ("PagesByAnotherOrder", "PagesByCollation"),
    "a listing that ends early": ("ListsFiveThousand", "SelectsTenThousand"),
    "wrong time": ("TakesLocalTimeForUTC", "ReadsUtcAsLocal"),
    "the time of another file": ("CopiesTheTimeToo", "CopiesTheWholeRow"),
    "wrong tag": ("TagsTheBeginning", "TagsTheFirstPiece"),
    "metadata": ("DropsEmptyValues", "StoresEmptyAsNull"),
    "file and folder of one name": ("ShowsOneOfTwoNamesakes", "GroupsByName"),
    "a folder's ghost": ("LeavesTheFolderOfWhatItMoved", "KeepsRowsOfFolders"),
    "shared state": ("HasOneDraft", "HasOneRowForDrafts"),
    "another instance": ("ClearsWhatOthersBegan", "EmptiesItsSpoolAtTheEnd"),
    "lives too short": ("EvictsOldFiles", "ForgetsOldFiles"),
    "process-wide": ("SetsTheTimeoutOfEverySocket", "ExportsItsFolder"),
    "caller's exception": ("ReadsInAGenerator", "InsertsFromAGenerator"),
}
"""The broken backends of each kind; `test_mutants.py` shows that each is caught by the rule that it breaks."""


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_has_a_broken_backend_on_both_storages(kind: str) -> None:
    found = {mutant.name: mutant.control for mutant in every()}
    plain, database = KINDS[kind]
    assert found[plain] in (MemoryBackend, LocalBackend)
    assert found[database] is DatabaseBackend


class PlacesByHash(SQLiteBackend):
    """Puts a mark made by `hash()` of the key before a content, and finds only contents with it."""

    def write(self, path: str, content: Content, **options: Any) -> WriteResult:
        return super().write(path, b"%020d" % hash(path) + Source(content).read_rest(), **options)

    def read_bytes(self, path: str) -> bytes:
        mark, content = (stored := super().read_bytes(path))[:20], stored[20:]
        if mark != b"%020d" % hash(path):
            raise NotFound("there is no such file", path=path, backend=self.name)
        return content


def test_a_database_that_another_interpreter_cannot_read_is_caught() -> None:
    """A database in this process has no other interpreter, so this kind needs one on disk."""
    for kind, expected in ((PlacesByHash, Ending.RED), (SQLiteBackend, Ending.GREEN)):
        harness = harness_of(kind)
        assert expected in {run(check, harness).ending for check in checks_of("PROC-003", harness)}, kind
