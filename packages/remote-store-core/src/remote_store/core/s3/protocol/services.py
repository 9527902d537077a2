"""Services that are known by host name, with the conditions that their documentation says they honour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from remote_store.core.conditional_writes import ConditionalWrites


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service other than AWS.

    Attributes:
        name: Its name.
        hosts: Its host names, as a page of the provider has them. The hosts below them belong to it too.
        hosts_page: That page.
        conditions: The conditions that it documents. `None` for those that it does not mention.
        page: The page that documents them.
    """

    name: str
    hosts: tuple[str, ...]
    hosts_page: str
    conditions: ConditionalWrites
    page: str


SERVICES: Final = (
    Service(
        name="Cloudflare R2",
        hosts=("r2.cloudflarestorage.com",),
        hosts_page="https://developers.cloudflare.com/r2/api/s3/presigned-urls/",
        conditions=ConditionalWrites(put=True, complete=True, swap=True, complete_swap=True),
        page="https://developers.cloudflare.com/r2/api/s3/conditional-operations/",
    ),
    Service(
        name="CoreWeave AI Object Storage",
        hosts=("cwobject.com",),
        hosts_page="https://docs.coreweave.com/products/storage/object-storage/using-object-storage/configure-endpoints",
        conditions=ConditionalWrites(put=True, complete=True, copy=True, swap=True, complete_swap=True),
        page="https://docs.coreweave.com/changelog/release-notes/ai-object-storage-conditional-writes",
    ),
    Service(
        name="Scaleway Object Storage",
        hosts=("s3.fr-par.scw.cloud", "s3.nl-ams.scw.cloud"),
        hosts_page="https://www.scaleway.com/en/docs/storage/object/concepts/",
        conditions=ConditionalWrites(put=True, complete=True, copy=True, swap=True, complete_swap=True),
        page="https://www.scaleway.com/en/docs/object-storage/api-cli/using-conditional-writes/",
    ),
)


def documented(url: str | None) -> ConditionalWrites:
    """The conditions that the service at a URL documents; none if it is not in the table, or the URL is not `https`.

    Without TLS, any server can be behind a host name.
    """
    parts = urlsplit(url or "")
    host = f".{(parts.hostname or '').rstrip('.')}"
    for service in SERVICES:
        if parts.scheme == "https" and host.endswith(tuple(f".{name}" for name in service.hosts)):
            return service.conditions
    return ConditionalWrites()
