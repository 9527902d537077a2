"""moto, in a thread of this process."""

from __future__ import annotations

import contextlib
import logging
import threading
from typing import TYPE_CHECKING

from remote_store.conformance.servers.server import INSTALL, Server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@contextlib.contextmanager
def moto_server() -> Iterator[Server]:
    """Run moto in a thread of this process until the block ends.

    It is fast, runs on every platform, and accepts any key and secret. Its buckets live as long as the process, and
    two moto servers in one process share them.

    Raises:
        ImportError: moto is not installed; the message names the command that installs it.
    """
    try:
        from moto import __version__
        from moto.moto_server import werkzeug_app
        from werkzeug.serving import make_server
    except ImportError as error:
        raise ImportError(f"moto_server() needs moto with its server: {INSTALL}") from error
    log = logging.getLogger("werkzeug")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    # Only the S3 application: moto's own server looks up the service of each request, a quarter of the time.
    application = werkzeug_app.create_backend_app("s3")
    # With it, newer releases keep the spelling of header names.
    handler = getattr(werkzeug_app, "MotoRequestHandler", None)
    running = make_server("127.0.0.1", 0, application, threaded=True, request_handler=handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{running.server_port}"
        yield Server("moto", url, "suite", "suite-secret", "us-east-1", __version__, fill=_fill_moto)
    finally:
        running.shutdown()
        running.server_close()
        thread.join()
        log.setLevel(level)


def _fill_moto(bucket: str, keys: Iterable[str]) -> None:
    # A request to moto takes 7 ms, a hundred times as long as creating the object directly.
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    for key in keys:
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(bucket, key, b"")
