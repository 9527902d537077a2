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


TEXTS = {name: doc.text for name, doc in docstrings.docstrings(BACKEND, "AsyncBackend") if name not in docstrings.OWN}


def test_words_are_taken_over_and_examples_kept() -> None:
    store = STORE.replace("Old words.", f"Old words.{EXAMPLE}")
    made = docstrings.combined(TEXTS, store, "AsyncStore")
    assert "Old words" not in made
    assert f"NotFound: None.{EXAMPLE}" in made
    assert made.endswith(STORE[STORE.index("        return") :])
    assert docstrings.combined(TEXTS, made, "AsyncStore") == made


def test_a_method_without_an_example_takes_the_words() -> None:
    made = docstrings.combined(TEXTS, STORE, "AsyncStore")
    assert BACKEND[BACKEND.index('"""New') : BACKEND.index("\n\n    async def close")] in made


def test_an_argument_that_only_the_store_has_is_described_after_the_others() -> None:
    texts = {"write": "Words.\n\nArgs:\n    path: The file.\n\nRaises:\n    NotFound: None."}
    store = STORE.replace("write(self)", "write(self, path: str, **options: Unpack[WriteOptions])")
    made = docstrings.combined(texts, store, "AsyncStore")
    assert (
        f"            path: The file.\n            options: {docstrings.OPTIONS['WriteOptions']}\n\n        Raises"
        in made
    )
    assert docstrings.combined(texts, made, "AsyncStore") == made


def test_what_is_in_the_repository_is_current() -> None:
    methods: dict[str, str] = {}
    for source, name in docstrings.SOURCES.items():
        methods |= {word: doc.text for word, doc in docstrings.docstrings(source.read_text("utf-8"), name)}
    texts = {word: text for word, text in methods.items() if word not in docstrings.OWN}
    stored: set[str] = set()
    for target, name in docstrings.TARGETS.items():
        code = target.read_text("utf-8")
        assert docstrings.combined(texts, code, name) == code
        stored |= dict(docstrings.docstrings(code, name)).keys()
    assert docstrings.OWN.keys() <= methods.keys() <= stored | docstrings.NOT_OF_A_STORE.keys()
