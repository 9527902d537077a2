"""Inputs that break backends, as data: keys, sizes and sources. Every change of it is a new version."""

from __future__ import annotations

VERSION = 1
KIB = 1024

SIZES = (0, 1, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1, 1_000_003)
PIECES = (1, 7, 4_096, 64 * KIB, 64 * KIB + 1, 1_000_000)
