"""Resolves a key to a file or folder: walks from the root, one folder at a time, and reads every link itself.

Below the root, every system call gets a single name, never a longer path. So a link that another process swaps in is
never followed by the kernel: the walk sees it as a link, or `O_NOFOLLOW` refuses it.
"""

# `Path` would normalise names, which must stay exact.
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
LEADS_OUT = "a symbolic link points outside the root; remove the link, or use a path inside the root"
LEADS_NOWHERE = "a symbolic link points to a missing file; remove the link, or create the file"


class Position:
    """A position in the tree below a top folder. It never moves above the top or through a link.

    Args:
        top: The start folder. The position owns it and closes it in `close`.

    Attributes:
        here: The current folder.
        names: The names of the folders from the top to `here`.
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
        """Device and inode number of the top folder."""
        return self._top.identity

    def down(self, name: str) -> None:
        """Enter a subfolder.

        Raises:
            OSError: The entry is missing or is not a folder.
        """
        below = self.here.enter(name)
        self._move(below)
        self.names.append(name)
        self._identities.append(below.identity)

    def up(self) -> None:
        """Go back to the parent folder.

        Raises:
            FileNotFoundError: The parent was moved or removed. The next call to `up` may succeed.
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
        # The current folder was moved or removed, so walk down again from the top.
        again = Position(self._top)
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
    """The result of resolving a key.

    Attributes:
        position: In the folder that contains the entry, or in the deepest existing folder of the path.
        name: Name of the entry in that folder; `""` if a link points to that folder itself.
        facts: `os.stat_result` of the entry; `None` if it does not exist.
        missing: If the entry does not exist: the names still to create, folders first.
        linked: Whether the last segment of the key is a link.
    """

    position: Position
    name: str
    facts: os.stat_result | None
    missing: tuple[str, ...] = ()
    linked: bool = False

    @property
    def kind(self) -> int | None:
        """The file type as `stat.S_IFMT` returns it; `None` if the entry does not exist."""
        return None if self.facts is None else stat.S_IFMT(self.facts.st_mode)

    def enter(self) -> Position:
        """Move the position into the folder that was found, and return it."""
        if self.name:
            self.position.down(self.name)
        return self.position


@contextmanager
def resolve(root: str, names: list[str], *, follow: bool = True) -> Iterator[Spot]:
    """Resolve the segments of a key, starting at the root.

    Args:
        root: Path of the root. Links in this path are followed.
        names: The segments of the key.
        follow: Follow a link in the last segment too.

    Raises:
        Astray: A link is dangling or points outside the root.
        NotADirectoryError: A parent of the entry is a file.
        OSError: A system call failed, or there are more than 40 links.
    """
    with Position(Folder.at(root)) as position, _Walk(position, follow=follow) as walk:
        yield walk.go(names)


class _Walk:
    """One walk. A link may leave the root if the rest of its target leads back into it."""

    def __init__(self, position: Position, *, follow: bool) -> None:
        self._position = position
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
                return Spot(self._position, name, None, (name, *reversed(self._pending)))
            except NotADirectoryError as error:
                if len(self._pending) > typed:
                    raise Astray(errno.ENOENT, LEADS_NOWHERE) from error
                raise
            if facts is not None:
                return Spot(self._position, name, facts, linked=self._linked)
        if self._outside is not None:
            raise Astray(errno.EACCES, LEADS_OUT)
        # The last link ended in `..` or at the root, so the result is the position's own folder.
        return Spot(self._position, "", self._position.here.facts(), linked=self._linked)

    def _step(self, name: str, *, last: bool) -> os.stat_result | None:
        """Resolve one name. Returns the entry's stat result if it is the last one, else `None`."""
        if self._outside is not None:
            self._step_outside(self._outside, name)
            return None
        if name == "..":
            if self._position.names:
                self._position.up()
            else:
                self._stand(self._position.here.reach(".."))
            return None
        facts = self._position.here.look(name)
        if stat.S_ISLNK(facts.st_mode) and (self._follow or not last):
            self._linked = self._linked or last
            self._read_link(self._position.here, name)
            return None
        if not self._pending:
            return facts
        self._position.down(name)
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
            raise Astray(errno.EAGAIN, "a symbolic link was replaced during the call; try again") from error
        self._pending += reversed(target.parts[1:] if target.anchor else target.parts)
        if target.anchor:
            self._stand(Folder.at(target.anchor))

    def _stand(self, outside: Folder | None) -> None:
        """Continue in a folder outside the root; if that folder is the root, continue inside."""
        if self._outside is not None:
            self._outside.close()
        self._outside = outside
        if outside is not None and outside.identity == self._position.root:
            outside.close()
            self._outside = None
            self._position.start_again()


def is_same(source: Spot, target: Spot) -> bool:
    """Whether two spots are the same entry of the same folder."""
    return (
        target.facts is not None
        and source.name == target.name
        and source.position.here.identity == target.position.here.identity
    )


def is_hard_link(source: Spot, target: Spot) -> bool:
    """Whether two spots are hard links to one file."""
    one, other = source.facts, target.facts
    return one is not None and other is not None and one.st_nlink > 1 and os.path.samestat(one, other)


def follow(opened: ExitStack, folder: Folder, name: str) -> tuple[Folder, str, os.stat_result | None]:
    """Follow the links of an entry, anywhere in the file system; returns the final folder, name and stat result.

    Args:
        opened: Closes the folders that are opened on the way.
        folder: The folder that contains the entry.
        name: Name of the entry.

    Raises:
        Astray: A link is dangling.
        OSError: A system call failed, or there are more than 40 links.
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
