from __future__ import annotations

import threading

import pytest

from remote_store.boto3 import S3Boto3Backend
from remote_store.conformance.servers.shared import shared_seaweedfs_server
from remote_store.core import AlreadyExists

WRITERS = 64


# SeaweedFS lets the losers of a race wait in steps of a second.
@pytest.mark.timeout(600)
def test_of_64_threads_that_create_one_key_one_wins_and_the_others_learn_it():
    with shared_seaweedfs_server() as server:
        server.create_bucket("race")
        place = {"endpoint_url": server.url, "key": server.key, "secret": server.secret, "region_name": server.region}
        with S3Boto3Backend("race", conditional_writes=True, max_connections=WRITERS, **place) as backend:
            for number in range(3):
                key = f"key-{number}"
                winners, losers = race(backend, key)
                assert (len(winners), len(losers)) == (1, WRITERS - 1)
                assert backend.read_bytes(key) == winners[0]


def race(backend: S3Boto3Backend, key: str) -> tuple[list[bytes], list[AlreadyExists]]:
    start = threading.Barrier(WRITERS)
    winners: list[bytes] = []
    losers: list[AlreadyExists] = []

    def create(number: int) -> None:
        content = f"writer {number}".encode()
        start.wait()
        try:
            backend.write(key, content)
        except AlreadyExists as error:
            losers.append(error)
        else:
            winners.append(content)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return winners, losers
