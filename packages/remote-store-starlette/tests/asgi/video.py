"""Writes a video that a browser plays: WebM with one VP8 picture, followed by bytes that make it large."""

from __future__ import annotations

import struct
from base64 import b64decode

FRAME = b64decode("8AIAnQEqEAAQAABHCIWFiIWEiAICAnWqA/gD+gINTRgA/v1u8//jmTcwxP+Obf/xYTwOKMj/8VEA")
"""A key frame of 16 by 16 red pixels, as libvpx encodes it."""

SIDE = 16
SECOND = 1000


def element(name: int, *content: bytes) -> bytes:
    """An EBML element, with its size in 8 bytes."""
    data = b"".join(content)
    return name.to_bytes((name.bit_length() + 7) // 8) + (len(data) | 1 << 56).to_bytes(8) + data


def number(name: int, value: int) -> bytes:
    return element(name, value.to_bytes(8))


def text(name: int, value: str) -> bytes:
    return element(name, value.encode())


def webm(seconds: int, bytes_per_second: int) -> bytes:
    """A video with one picture each second.

    Args:
        seconds: Its length.
        bytes_per_second: Bytes in each second, so many that a browser does not fetch all of them at once.
    """
    head = element(
        0x1A45DFA3,
        number(0x4286, 1),
        number(0x42F7, 1),
        number(0x42F2, 4),
        number(0x42F3, 8),
        text(0x4282, "webm"),
        number(0x4287, 2),
        number(0x4285, 2),
    )
    duration = element(0x4489, struct.pack(">d", float(seconds * SECOND)))
    information = element(0x1549A966, number(0x2AD7B1, 1_000_000), duration, text(0x4D80, "test"), text(0x5741, "test"))
    picture = element(0xE0, number(0xB0, SIDE), number(0xBA, SIDE))
    track = element(0xAE, number(0xD7, 1), number(0x73C5, 1), number(0x83, 1), text(0x86, "V_VP8"), picture)
    tracks = element(0x1654AE6B, track)
    # A decoder ignores what follows the picture, and a browser has to fetch it.
    block = element(0xA3, b"\x81\0\0\x80", FRAME, bytes(bytes_per_second))
    clusters = [element(0x1F43B675, number(0xE7, second * SECOND), block) for second in range(seconds)]

    def cues(start: int) -> bytes:
        places = [number(0xF1, start + sum(map(len, clusters[:second]))) for second in range(seconds)]
        points = [
            element(0xBB, number(0xB3, second * SECOND), element(0xB7, number(0xF7, 1), place))
            for second, place in enumerate(places)
        ]
        return element(0x1C53BB6B, *points)

    start = len(information) + len(tracks)
    start += len(cues(0))
    return head + element(0x18538067, information, tracks, cues(start), *clusters)
