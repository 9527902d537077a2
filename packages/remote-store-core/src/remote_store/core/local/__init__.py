"""A backend for the files below a folder of the file system.

| question | module |
|---|---|
| what each method does | `backend` |
| what a write needs before and after its content, what closes with the backend | `base` |
| how the entries of a folder are accessed, with and without `dir_fd` | `folder` |
| how a key is resolved to a file or folder, and which symbolic links are followed | `resolving` |
| what a listing returns, how a folder is emptied | `tree` |
| how a file is written and renamed into place, its mode, when it is synced | `unfinished` |
| which names are refused | `names` |
| which `OSError` becomes which error of the contract | `system` |
"""

from __future__ import annotations

from remote_store.core.local.backend import LocalBackend

__all__ = ["LocalBackend"]
