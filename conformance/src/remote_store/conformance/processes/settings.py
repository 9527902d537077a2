"""Settings of the standard library and of the interpreter, which all parts of a process share."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import copyreg
import csv
import datetime as dt
import decimal
import faulthandler
import hashlib
import http.client
import io
import json
import logging
import mimetypes
import os
import pickle
import random
import select
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import warnings
from collections.abc import Mapping
from types import BuiltinFunctionType, FunctionType, ModuleType

PATCHED: tuple[ModuleType, ...] = (
    builtins,
    dt,
    hashlib,
    http.client,
    io,
    json,
    logging,
    os,
    pickle,
    random,
    select,
    shutil,
    socket,
    sqlite3,
    ssl,
    subprocess,
    tempfile,
    threading,
    time,
    urllib.request,
    warnings,
)
"""Modules whose functions and constants programs replace, for lack of an option."""
FIXED = (BuiltinFunctionType, FunctionType, type, bool, int, float, str)
NETWORK = (socket.socket, http.client.HTTPConnection, http.client.HTTPResponse, ssl.SSLContext, threading.Thread)
OWNERS: tuple[ModuleType | type, ...] = (*PATCHED, *NETWORK)


def _name_of(owner: ModuleType | type) -> str:
    return owner.__name__ if isinstance(owner, ModuleType) else f"{owner.__module__}.{owner.__qualname__}"


PLACES: dict[object, tuple[Mapping[str, object], str]] = {
    f"{_name_of(owner)}:{name}": (vars(owner), name)
    for owner in OWNERS
    for name, value in vars(owner).items()
    if isinstance(value, FIXED)
}
"""What programs replace, by its full name: the namespace, and the name in it."""
GROWING = frozenset({"the ways to pickle", "the adapters of sqlite3", "the names of levels"})
"""Settings to which a library adds when it is imported, which is no change of what was there."""


def settings() -> Mapping[str, object]:
    """Settings by name. Those that are many are a dictionary."""
    # The types of the system are read at the first question, which is no change.
    if not mimetypes.inited:
        mimetypes.init()
    return {
        # A library that is imported late may hide a warning of its own.
        "the filters of warnings": [each for each in warnings.filters if each[1] is None and each[3] is None],
        "the decimal context": repr(decimal.getcontext()),
        "the trace functions": (sys.gettrace(), sys.getprofile(), threading.gettrace(), threading.getprofile()),
        "the hooks": (sys.displayhook, sys.breakpointhook, faulthandler.is_enabled()),
        "the limits of numbers and fields": (sys.get_int_max_str_digits(), csv.field_size_limit()),
        "the stack size of new threads": threading.stack_size(),
        "the types of files": dict(mimetypes.types_map),
        "the ways to pickle": dict(copyreg.dispatch_table),
        "the adapters of sqlite3": dict(sqlite3.adapters) | dict(sqlite3.converters),
        "the classes of logging": (logging.getLoggerClass(), logging.getLogRecordFactory()),
        "the names of levels": dict(logging.getLevelNamesMapping()),
        "the flags of the interpreter": (sys.dont_write_bytecode, getattr(sys, "getdlopenflags", int)()),
        "what the system knows of the process": _process(),
        "the event loop": _loop(),
        "functions of the standard library": _functions(),
    }


def _functions() -> dict[object, object]:
    return {full: namespace.get(name) for full, (namespace, name) in PLACES.items()}


def _process() -> Mapping[str, object]:
    facts: dict[str, object] = {}
    if hasattr(signal, "pthread_sigmask"):
        facts["blocked signals"] = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        facts["a timer"] = [bool(signal.getitimer(timer)[0]) for timer in (signal.ITIMER_REAL, signal.ITIMER_PROF)]
        facts["ids"] = (os.getpgrp(), os.geteuid(), os.getegid())
        facts["priority"] = os.getpriority(os.PRIO_PROCESS, 0)
    if hasattr(os, "sched_getaffinity"):
        facts["processors"] = os.sched_getaffinity(0)
    for descriptor in range(3):
        with contextlib.suppress(OSError, AttributeError):
            facts[f"descriptor {descriptor} blocks"] = os.get_blocking(descriptor)
    return facts


def _loop() -> object:
    """Settings of the running event loop; `None` if none runs."""
    with contextlib.suppress(RuntimeError):
        loop = asyncio.get_running_loop()
        return (loop, loop.get_debug(), loop.get_exception_handler(), loop.get_task_factory(), loop.is_running())
    return None
