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

    It is fast and everywhere, accepts any key and secret, and keeps its buckets as long as the process lives:
    two of them in one process share their buckets.

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
    # The S3 application alone: moto's own server finds the service of each request anew, a quarter of a request's time.
    application = werkzeug_app.create_backend_app("s3")
    # Newer releases keep the spelling of header names with it.
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
    # A request takes moto 7 ms, a hundred times as long as the object itself.
    from moto.core.models import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    for key in keys:
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(bucket, key, b"")
