"""Files below a folder of the file system.

| question | module |
|---|---|
| how an entry of a folder is reached, with and without descriptors | `folder` |
| which file or folder a key means, and what a symbolic link may do | `resolving` |
| what a listing shows, how a folder is emptied | `tree` |
| how a file appears whole, with which mode, and when it is safe on the disk | `unfinished` |
| which name is refused | `names` |
| which error of the system is which error of the contract | `system` |
"""

from __future__ import annotations

from remote_store.core.local.backend import LocalBackend

__all__ = ["LocalBackend"]
