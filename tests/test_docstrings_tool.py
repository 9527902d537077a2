"""`tools/docstrings.py` writes the backend's words into the store, and keeps the store's examples."""

from __future__ import annotations

import docstrings

BACKEND = '''class AsyncBackend:
    async def write(self) -> None:
        """New words.

        Raises:
            NotFound: None.
        """

    async def close(self) -> None:
        """Of the backend."""
'''
STORE = '''class AsyncStore:
    async def write(self) -> None:
        """Old words."""
        return None

    async def close(self) -> None:
        """Of the store."""

    async def ping(self) -> None:
        """Of the store alone."""
'''
EXAMPLE = """

        Example:
            >>> await store.write()
        """


def test_words_are_taken_over_and_examples_kept() -> None:
    store = STORE.replace("Old words.", f"Old words.{EXAMPLE}")
    made = docstrings.combined(BACKEND, store)
    assert "Old words" not in made
    assert f"NotFound: None.{EXAMPLE}" in made
    assert made.endswith(STORE[STORE.index("        return") :])
    assert docstrings.combined(BACKEND, made) == made


def test_a_method_without_an_example_takes_the_words() -> None:
    made = docstrings.combined(BACKEND, STORE)
    assert BACKEND[BACKEND.index('"""New') : BACKEND.index("\n\n    async def close")] in made


def test_what_is_in_the_repository_is_current() -> None:
    code = docstrings.TARGET.read_text("utf-8")
    assert docstrings.combined(docstrings.SOURCE.read_text("utf-8"), code) == code
    methods = dict(docstrings.docstrings(docstrings.SOURCE.read_text("utf-8"), docstrings.SOURCE_CLASS))
    assert docstrings.OWN.keys() <= methods.keys() <= dict(docstrings.docstrings(code, docstrings.TARGET_CLASS)).keys()
