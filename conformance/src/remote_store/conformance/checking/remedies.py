"""What an author can do so that an untested rule is tested."""

from __future__ import annotations

from collections.abc import Mapping

HARNESS: Mapping[str, str] = {
    "the harness has no oracle": "implement `Harness.oracle`",
    "the harness has no isolated storage": "implement `Harness.isolated`",
    "the harness has no storage with versions": "implement `Harness.versioned`",
    "the harness makes no storage that fails": "implement `Harness.faulty`",
    "the harness counts no calls": "implement `Harness.calls`",
    "the harness states no budget": "state `Harness.budget`",
    "the harness names no other adapter of the storage": "implement `Harness.peers`",
    "the harness has no endpoint in front of its server": "implement `Harness.endpoint`, for a server over HTTP",
    "the harness has no endpoint that counts": "implement `Harness.endpoint`, for a server over HTTP",
    "the storage has no container that can be absent": "implement `Harness.make_absent`",
    "the oracle cannot list uploads": "implement `Oracle.raw_uploads`",
    "the oracle sees no metadata": "implement `Oracle.raw_head`",
    "a folder of more than one page is written in the full tier": "run the full tier",
    "more than 5,000 entries are written in the full tier": "run the full tier",
    "more than 10,000 entries are written on this machine only, and elsewhere in the soak tier": "run the soak tier",
    "folders that straddle pages are written in the full tier": "run the full tier",
    "work while the interpreter exits is tried in the quick tier": "run the quick tier",
    "many folders are written by an oracle, since the backend would take long": "implement `Harness.oracle`",
    "calls about every name are made in the quick tier": "run the quick tier",
    "every folder of a tree is listed in the quick tier": "run the quick tier",
    "patterns are made at random in the quick tier": "run the quick tier",
    "a deviation says that the storage does not accept newlines": "remove the deviation of PATH-001",
}
"""By the reason why a check ended as untested."""

FIELDS: Mapping[str, str] = {
    "a file and a folder cannot share a name": "flat",
    "a file as an ancestor is refused": "rejects_file_ancestor",
    "a file may stand above files": "rejects_file_ancestor",
    "a folder stays when its last file goes": "empty_folders",
    "a server decides the content type of a file without one": "kind",
    "every path belongs to this backend": "kind",
    "every write also checks the ancestors": "rejects_file_ancestor",
    "no key is too long": "max_key_bytes",
    "only one thread at a time may use an instance": "threads",
    "segments have a limit of their own": "max_segment_bytes",
    "the profile names no secrets": "secrets",
    "the profile says that instances cannot be pickled": "picklable",
    "the profile says that instances do not work after a fork": "forks",
    "the storage ends with its process": "in_process",
    "the storage holds canonical keys only": "foreign_keys",
    "the storage ignores case": "case_sensitive",
    "the storage keeps empty folders": "empty_folders",
    "two instances do not share a storage": "shared",
    "writes have no parts": "part_size",
}
"""The field of the profile that decides, by the reason why a rule does not apply."""


def remedy_of(reason: str) -> str:
    """What to do so that the check runs; empty if nothing helps."""
    field = FIELDS.get(reason)
    return HARNESS.get(reason) or (f"state `Profile.{field}` in a harness" if field else "")
