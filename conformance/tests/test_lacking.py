from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mutants import running
from remote_store.conformance import (
    AsyncBackendConformance,
    AsyncCase,
    Case,
    CheckFailed,
    Harness,
    Oracle,
    Profile,
    ThreadedHarness,
    check,
    rules,
)
from remote_store.conformance.checking.lacking import NEEDS
from remote_store.conformance.values.outcome import NotApplicable
from remote_store.core import (
    Backend,
    BackendUnavailable,
    Capability,
    CapabilityNotSupported,
    FileInfo,
    MemoryBackend,
    NotFound,
)
from remote_store.core.memory.files import StoredFile


class NoListing(MemoryBackend):
    """It lists nothing, and says so."""

    capabilities = frozenset(Capability) - {Capability.LIST, Capability.USER_METADATA}

    def list_files(self, path: str, *, recursive: bool = False, max_depth: int | None = None) -> Iterator[FileInfo]:
        raise CapabilityNotSupported("no listings", capability="list", backend=self.name)

    def write(self, path: str, content: Any, **options: Any) -> Any:
        if options.get("metadata"):
            self.check_health()
            raise CapabilityNotSupported("no metadata", capability="user_metadata", backend=self.name)
        return super().write(path, content, **options)


class NoDeleting(NoListing):
    """It says that it deletes, and then speaks of what it lacks."""

    def delete(self, path: str, *, missing_ok: bool = False) -> None:
        raise CapabilityNotSupported("no listings, and so no deletes", capability="list", backend=self.name)


class Made(Harness):
    profile = Profile(shared=False)

    def __init__(self, kind: type[Backend]) -> None:
        self.kind = kind

    def make(self, **options: Any) -> Backend:
        return self.kind(**options)


class Lasting(NoListing):
    """Its files outlive it."""

    list_files = MemoryBackend.list_files

    def close(self) -> None:
        self._closed = True


def refusing(capability: Capability) -> Any:
    """A method that a backend does not have."""

    def refuse(self: MemoryBackend, *arguments: Any, **options: Any) -> Any:
        self.check_health()
        raise CapabilityNotSupported("not here", capability=capability.value, backend=self.name)

    return refuse


def narrowed(*capabilities: Capability) -> type[MemoryBackend]:
    """A memory that promises only these capabilities, and refuses whatever needs another."""
    methods = {name: refusing(needed) for name, needed in NEEDS.items() if needed not in capabilities}
    return type("Narrowed", (Lasting,), {**methods, "capabilities": frozenset(capabilities)})


class FilesOracle(Oracle):
    """The files of a memory, past its backends."""

    def __init__(self, files: dict[str, StoredFile]) -> None:
        self.files = files

    def raw_put(
        self, key: str, data: bytes = b"", *, metadata: Mapping[str, str] | None = None, content_type: str | None = None
    ) -> None:
        self.files[key] = StoredFile(data, b"", dict(metadata or {}), content_type)

    def raw_get(self, key: str) -> bytes | None:
        return self.files[key].content if key in self.files else None

    def raw_list(self, prefix: str = "") -> list[str]:
        return [key for key in self.files if key.startswith(prefix)]

    def raw_delete(self, key: str) -> None:
        self.files.pop(key, None)


class CoreOnly(Harness):
    """A memory that can do the least that gets a verdict; its instances share their files."""

    profile = Profile(in_process=True, picklable=False, max_key_bytes=None)
    kind = narrowed(Capability.READ, Capability.WRITE, Capability.DELETE, Capability.LIST)

    def __init__(self) -> None:
        self.files: dict[str, StoredFile] = {}

    def make(self, **options: Any) -> Backend:
        made = self.kind()
        made._files = self.files
        return made

    def isolated(self) -> CoreOnly:
        return type(self)()

    @property
    def oracle(self) -> FilesOracle:
        return FilesOracle(self.files)


class ReadOnly(CoreOnly):
    """The same for a backend that only reads."""

    kind = narrowed(Capability.READ, Capability.LIST)


def test_a_check_of_every_operation_goes_on_where_a_backend_lacks_one() -> None:
    harness = CoreOnly()
    checks = {one.name: one for identifier in rules() for one in running.checks_of(identifier, harness)}
    told = {
        name: running.run(one, harness, "smoke").told
        for name, one in checks.items()
        if not name.startswith("test_model")
    }
    ended = {name for name, text in told.items() if "the check needs" in text}
    assert {name for name in ended if not name.startswith(("test_many_ranges", "test_slice_of"))} == set()


class Checks:
    @check("DEL-001")
    def test_lists(self, case: Case) -> None:
        case.backend.list_files(case.folder)

    @check("DEL-001")
    def test_expects_another_error_of_a_listing(self, case: Case) -> None:
        with case.expect_raises(NotFound):
            case.backend.list_files(case.folder)

    @check("DEL-001")
    def test_writes_metadata(self, case: Case) -> None:
        case.backend.write(case.path("file"), b"", metadata={"name": "value"})

    @check("DEL-001")
    def test_deletes(self, case: Case) -> None:
        case.backend.delete(case.path("file"), missing_ok=True)

    @check("LIFE-006")
    def test_lists_when_closed(self, case: Case) -> None:
        case.backend.close()
        with case.expect_raises(BackendUnavailable):
            case.backend.list_files(case.folder)

    @check("DEL-001")
    def test_raises_a_refusal_of_its_own(self, case: Case) -> None:
        raise CapabilityNotSupported("from elsewhere", capability="list")


def run(name: str, kind: type[Backend]) -> None:
    getattr(Checks(), name)(Case(Made(kind), name))


@pytest.mark.parametrize(
    "name, lacks",
    [
        ("test_lists", Capability.LIST),
        ("test_expects_another_error_of_a_listing", Capability.LIST),
        ("test_writes_metadata", Capability.USER_METADATA),
    ],
)
def test_a_check_that_uses_what_is_not_declared_says_nothing(name: str, lacks: Capability) -> None:
    with pytest.raises(NotApplicable, match=lacks.name) as caught:
        run(name, NoListing)
    assert caught.value.lacks is lacks


def test_a_refusal_of_what_is_declared_is_a_failure() -> None:
    with pytest.raises(CapabilityNotSupported):
        run("test_deletes", NoDeleting)


def test_a_refusal_before_the_end_of_a_backend_was_seen_is_a_failure() -> None:
    with pytest.raises(CheckFailed):
        run("test_lists_when_closed", NoListing)


def test_a_refusal_that_no_call_made_is_a_failure() -> None:
    with pytest.raises(CapabilityNotSupported, match="elsewhere"):
        run("test_raises_a_refusal_of_its_own", NoListing)


def test_every_method_of_a_capability_is_known() -> None:
    asked = {name for name in vars(Backend) if not name.startswith("_") and callable(getattr(Backend, name))}
    free = {"exists", "is_file", "is_folder", "native_path", "to_key", "resolve", "check_health", "unwrap", "close"}
    # `read_ranges` is optional, so `Backend` does not declare it.
    assert asked - free == NEEDS.keys() - {"read_ranges"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("harness, code, verdict", [("CoreOnly", 0, "core (smoke"), ("ReadOnly", 2, "partial (smoke")])
def test_a_backend_of_few_capabilities_breaks_no_rule(tmp_path: Path, harness: str, code: int, verdict: str) -> None:
    command = "import sys; from remote_store.conformance.cli import main; sys.exit(main())"
    target = ["run", f"test_lacking:{harness}", "--tier", "smoke", "--report", str(tmp_path)]
    result = subprocess.run(
        [sys.executable, "-P", "-c", command, *target], cwd=Path(__file__).parent, capture_output=True, text=True
    )
    assert f"\nverdict   {verdict}" in result.stdout, result.stdout + result.stderr
    assert (result.returncode, "FAIL" in result.stdout) == (code, False)


class NotSeekable(MemoryBackend):
    """Has no random access, and so no `read_ranges`."""

    capabilities = MemoryBackend.capabilities - {Capability.SEEKABLE_READ}

    def read_seekable(self, path: str, **_options: Any) -> Any:
        raise CapabilityNotSupported("no random access", capability="seekable_read", backend=self.name)


def test_ranges_need_random_access_in_threads_too() -> None:
    suite = AsyncBackendConformance()
    case = AsyncCase(ThreadedHarness(Made(NotSeekable)), "test_many_ranges")
    with pytest.raises(NotApplicable, match="the check needs SEEKABLE_READ"):
        suite.test_many_ranges(case)
