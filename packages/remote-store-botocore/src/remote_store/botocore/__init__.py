"""Code that the lanes on botocore share, such as a backend over a client of botocore. Not for applications."""

from __future__ import annotations

from remote_store.core.s3 import require_lane_api

__version__ = require_lane_api(1, "remote-store-botocore")

# Another version may lack names imported below.
from remote_store.botocore.backend import DEFAULT_THREADS, ClientBackend, ClientOptionFields
from remote_store.botocore.client import ClientMaker, UserSession, profile_of
from remote_store.botocore.configuration import check_configuration
from remote_store.botocore.credentials import (
    RenewedCredentials,
    check_session,
    check_session_async,
    renew_credentials_async,
    renewed_credentials,
)
from remote_store.botocore.faults import UNREADABLE, as_faults, fault_of, known_fault
from remote_store.botocore.handlers import ask_before_large_body, register_handlers, user_agent
from remote_store.botocore.heads import FINAL, FinalResponse
from remote_store.botocore.locating import locate, locate_client
from remote_store.botocore.names import lookup
from remote_store.botocore.port import FAILED, TRANSPORT, ClientPort
from remote_store.botocore.proxies import login_to, proxies_of, proxy_for, without_password
from remote_store.botocore.session import prepare_session
from remote_store.botocore.settings import (
    DOCUMENT_WAITS,
    WITH_HANDLE,
    check_client,
    check_client_options,
    check_handle,
    client_arguments,
    config_arguments,
    warn_of_redirects,
)
from remote_store.botocore.tls import tls_context, trusted

__all__ = [
    "DEFAULT_THREADS",
    "DOCUMENT_WAITS",
    "FAILED",
    "FINAL",
    "TRANSPORT",
    "UNREADABLE",
    "WITH_HANDLE",
    "ClientBackend",
    "ClientMaker",
    "ClientOptionFields",
    "ClientPort",
    "FinalResponse",
    "RenewedCredentials",
    "UserSession",
    "as_faults",
    "ask_before_large_body",
    "check_client",
    "check_client_options",
    "check_configuration",
    "check_handle",
    "check_session",
    "check_session_async",
    "client_arguments",
    "config_arguments",
    "fault_of",
    "known_fault",
    "locate",
    "locate_client",
    "login_to",
    "lookup",
    "prepare_session",
    "profile_of",
    "proxies_of",
    "proxy_for",
    "register_handlers",
    "renew_credentials_async",
    "renewed_credentials",
    "tls_context",
    "trusted",
    "user_agent",
    "warn_of_redirects",
    "without_password",
]
