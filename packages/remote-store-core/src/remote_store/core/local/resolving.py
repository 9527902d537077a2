"""Which file or folder a key means: a walk from the root, folder by folder, in which every link is read here.

No path of more than one name is handed to the system below the root, so a link that somebody swaps meanwhile is never
followed by accident: the walk meets it as a link, or `O_NOFOLLOW` refuses it.
"""

# Names are exact text, and `Path` would rewrite them.
from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import PurePath
from types import TracebackType
from typing import NamedTuple, Self

from remote_store.core.local.folder import Folder, Identity
from remote_store.core.local.system import Astray

LINKS = 40
ABSENT = (FileNotFoundError, NotADirectoryError)
LEADS_OUT = "a symbolic link leads out of the root"
LEADS_NOWHERE = "a symbolic link leads nowhere; remove the link, or make the file that it names"


class Cursor:
    """A folder below a top, and the names that lead to it; never above the top, never through a link.

    Args:
        top: Where it starts; stays open until the cursor is closed, and belongs to it.

    Attributes:
        here: The folder where it stands.
        names: The way from the top.
    """

    def __init__(self, top: Folder) -> None:
        self.here = self._top = top
        self.names: list[str] = []
        self._identities: list[Identity] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the descriptors."""
        self.here.close()
        self._top.close()

    @property
    def root(self) -> Identity:
        """Which folder the top is."""
        return self._top.identity

    def down(self, name: str) -> None:
        """Enter a folder.

        Raises:
            OSError: It is gone, or something else.
        """
        below = self.here.enter(name)
        self._move(below)
        self.names.append(name)
        self._identities.append(below.identity)

    def up(self) -> None:
        """Go back to the folder above.

        Raises:
            FileNotFoundError: That is not where it was. The next step up may find one that is.
        """
        self.names.pop()
        self._identities.pop()
        if not self._identities:
            self._move(self._top)
            return
        try:
            above = self.here.reach("..")
            if above.identity == self._identities[-1]:
                self._move(above)
                return
            above.close()
        except OSError:
            pass
        # The folder was moved away or removed meanwhile.
        again = Cursor(self._top)
        try:
            for name in self.names:
                again.down(name)
        except OSError as error:
            again.start_again()
            if isinstance(error, ABSENT) or error.errno == errno.ELOOP:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from error
            raise
        self._move(again.here)
        self._identities = again._identities

    def start_again(self) -> None:
        """Go back to the top."""
        self._move(self._top)
        self.names, self._identities = [], []

    def _move(self, there: Folder) -> None:
        if self.here is not self._top:
            self.here.close()
        self.here = there


class Spot(NamedTuple):
    """Where a key leads.

    Attributes:
        cursor: Stands in the folder that holds it, or in the deepest folder on the way that exists.
        name: Its name there; `""` where a link leads to the very folder of the cursor.
        facts: What stands there; `None` for nothing.
        missing: Where nothing stands: the names from there on, folders first.
        linked: Whether the last segment of the key is a link.
    """

    cursor: Cursor
    name: str
    facts: os.stat_result | None
    missing: tuple[str, ...] = ()
    linked: bool = False

    @property
    def kind(self) -> int | None:
        """The type of what stands there, as `stat.S_IFMT` says it; `None` for nothing."""
        return None if self.facts is None else stat.S_IFMT(self.facts.st_mode)

    def enter(self) -> Cursor:
        """The cursor, moved into the folder that stands there."""
        if self.name:
            self.cursor.down(self.name)
        return self.cursor


@contextmanager
def resolve(root: str, names: list[str], *, follow: bool = True) -> Iterator[Spot]:
    """Walk from the root along the names of a key.

    Args:
        root: Path of the root, whose own links are followed.
        names: The segments of the key.
        follow: Follow a link in the last segment too.

    Raises:
        Astray: A link leads out of the root or nowhere.
        NotADirectoryError: A file stands where a folder is needed.
        OSError: The system refuses, or there are too many links.
    """
    with Cursor(Folder.at(root)) as cursor, _Walk(cursor, follow=follow) as walk:
        yield walk.go(names)


class _Walk:
    """One walk; where a link leads out of the root it goes on outside, to see whether the way comes back."""

    def __init__(self, cursor: Cursor, *, follow: bool) -> None:
        self._cursor = cursor
        self._follow = follow
        self._outside: Folder | None = None
        self._pending: list[str] = []
        self._links = 0
        self._linked = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stand(None)

    def go(self, names: list[str]) -> Spot:
        self._pending = names[::-1]
        typed = len(names)
        while self._pending:
            name = self._pending.pop()
            of_a_link = len(self._pending) >= typed
            typed = min(typed, len(self._pending))
            try:
                facts = self._step(name, last=not typed and not of_a_link)
            except FileNotFoundError as error:
                if of_a_link:
                    raise Astray(errno.ENOENT, LEADS_NOWHERE) from error
                return Spot(self._cursor, name, None, (name, *reversed(self._pending)))
            except NotADirectoryError as error:
                if len(self._pending) > typed:
                    raise Astray(errno.ENOENT, LEADS_NOWHERE) from error
                raise
            if facts is not None:
                return Spot(self._cursor, name, facts, linked=self._linked)
        if self._outside is not None:
            raise Astray(errno.EACCES, LEADS_OUT)
        # A link has led to a folder as such: to the root, or by `..`.
        return Spot(self._cursor, "", self._cursor.here.facts(), linked=self._linked)

    def _step(self, name: str, *, last: bool) -> os.stat_result | None:
        """Take one name; what is said is the end of the way, if it is one."""
        if self._outside is not None:
            self._step_outside(self._outside, name)
            return None
        if name == "..":
            if self._cursor.names:
                self._cursor.up()
            else:
                self._stand(self._cursor.here.reach(".."))
            return None
        facts = self._cursor.here.look(name)
        if stat.S_ISLNK(facts.st_mode) and (self._follow or not last):
            self._linked = self._linked or last
            self._read_link(self._cursor.here, name)
            return None
        if not self._pending:
            return facts
        self._cursor.down(name)
        return None

    def _step_outside(self, outside: Folder, name: str) -> None:
        try:
            if name == "..":
                self._stand(outside.reach(".."))
            elif stat.S_ISLNK(outside.look(name).st_mode):
                self._read_link(outside, name)
            else:
                self._stand(outside.enter(name))
        except OSError as error:
            raise Astray(errno.EACCES, LEADS_OUT) from error

    def _read_link(self, folder: Folder, name: str) -> None:
        self._links += 1
        if self._links > LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        try:
            target = PurePath(folder.read_link(name))
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            raise Astray(errno.EAGAIN, "a symbolic link was replaced while it was read; try again") from error
        self._pending += reversed(target.parts[1:] if target.anchor else target.parts)
        if target.anchor:
            self._stand(Folder.at(target.anchor))

    def _stand(self, outside: Folder | None) -> None:
        """Stand in a folder outside of the root, or in the root where that is what the folder is."""
        if self._outside is not None:
            self._outside.close()
        self._outside = outside
        if outside is not None and outside.identity == self._cursor.root:
            outside.close()
            self._outside = None
            self._cursor.start_again()


def follow(opened: ExitStack, folder: Folder, name: str) -> tuple[Folder, str, os.stat_result | None]:
    """The file that a name means, wherever its links lead: its folder, its name there, and its facts.

    Args:
        opened: Closes the folders that the links lead to.
        folder: Where the name is.
        name: The name.

    Raises:
        Astray: A link leads nowhere.
        OSError: The system refuses, or there are too many links.
    """
    for count in range(LINKS + 1):
        try:
            facts = folder.look(name)
        except FileNotFoundError as error:
            if count:
                raise Astray(errno.ENOENT, LEADS_NOWHERE) from error
            return folder, name, None
        if not stat.S_ISLNK(facts.st_mode):
            return folder, name, facts
        above, name = os.path.split(folder.read_link(name).rstrip("/"))
        if name in ("", ".", ".."):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if above:
            folder = opened.enter_context(folder.reach(above))
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
