"""The cells of the test matrix: a lane, how it is installed, the server it talks to, and sync or async.

`LOOP` is run for every change: any two values meet in at least one cell, and several lanes talk to one server, so that
`tools/lanes_page.py` can compare them. `MATRIX` is every combination, with every variant of every check;
`tools/matrix.py` runs it before a release.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

LANES = ("boto3", "s3fs", "pyarrow")
INSTALLATIONS = ("workspace", "newest", "lowest")
SERVERS = ("Moto", "MotoStrict", "SeaweedFS")
WORLDS = ("sync", "async")


@dataclass(frozen=True, slots=True)
class Cell:
    """One class of conformance tests in one environment.

    Attributes:
        lane: Name of the lane.
        installation: `workspace` for the sources, `newest` or `lowest` for the built wheel alone with that release of
            its SDK.
        server: The server, as in the name of the class.
        world: `sync` or `async`.
        tier: How many variants of each check run.
    """

    lane: str
    installation: str
    server: str
    world: str
    tier: str

    def __str__(self) -> str:
        return f"{self.lane}-{self.installation}-{self.server}-{self.world}"

    @property
    def kind(self) -> str:
        """Name of the class in the lane's `test_conformance.py`."""
        return f"Test{self.server}{'Async' if self.world == 'async' else ''}"


LOOP = (
    Cell("boto3", "workspace", "SeaweedFS", "async", "smoke"),
    Cell("s3fs", "workspace", "Moto", "sync", "smoke"),
    Cell("pyarrow", "workspace", "MotoStrict", "async", "smoke"),
    Cell("boto3", "newest", "Moto", "sync", "full"),
    Cell("s3fs", "newest", "MotoStrict", "async", "smoke"),
    Cell("pyarrow", "newest", "SeaweedFS", "sync", "smoke"),
    Cell("boto3", "lowest", "MotoStrict", "sync", "smoke"),
    Cell("s3fs", "lowest", "SeaweedFS", "sync", "smoke"),
    Cell("pyarrow", "lowest", "Moto", "async", "smoke"),
)
LATER = frozenset({"s3fs-workspace-Moto-sync", "pyarrow-workspace-MotoStrict-async"})
"""Cells of the loop that `.ci/run` runs after the README's tests, so that those end within five minutes."""
CORE = ("TestMemory", "TestMemoryInThreads", "TestLocal", "TestLocalInThreads", "TestLocalWithoutAttributes")
"""The classes of core's backends that run on its wheel; those that wrap them run in the workspace."""
BACKENDS = ("fsspec", "obstore")
"""The packages of backends whose classes all run in the workspace."""
LATER_CLASSES = {
    "core": frozenset(CORE) - {"TestMemory", "TestLocal"},
    "fsspec": frozenset({"TestDir", "TestLocal", "TestMemoryInThreads"}),
    "obstore": frozenset({"TestLocal", "TestMoto", "TestSeaweedFS"}),
}
"""Classes of other packages that are run later for the same reason; those of core on its wheel, `TestSeaweedFS` only
before a release."""
MATRIX = tuple(Cell(*values, tier="full") for values in product(LANES, INSTALLATIONS, SERVERS, WORLDS))


def of(cells: tuple[Cell, ...], lane: str, installation: str) -> Iterator[Cell]:
    """The cells of one lane in one environment."""
    return (cell for cell in cells if (cell.lane, cell.installation) == (lane, installation))
