# Generated from conformance/src/remote_store/conformance/suite/aio/lives/histories.py by tools/unasync.py; edit that.
"""Histories of calls, compared with the model."""

from __future__ import annotations

from remote_store.conformance.checking.case import Case
from remote_store.conformance.checking.decorators import check
from remote_store.conformance.checking.trees import writable
from remote_store.conformance.model.explore import (
    explore,
    explore_pages,
    explore_usages,
    plain_names,
)
from remote_store.conformance.model.perform import perform
from remote_store.core import Capability

WRITE = (Capability.WRITE,)


class HistorySuite:
    """MODEL: any calls in any order."""

    @check("MODEL-001", needs=WRITE)
    def test_model_any_history(self, case: Case) -> None:
        explore(case, perform, plain_names(case))

    @check("MODEL-001", needs=WRITE)
    def test_model_around_a_folder_of_more_than_a_page(self, case: Case) -> None:
        explore_pages(case, perform)

    @check("MODEL-002", needs=WRITE)
    def test_model_hostile_names(self, case: Case) -> None:
        explore(case, perform, writable(case), share=0.6)

    @check("MODEL-003", needs=WRITE)
    def test_model_instances_in_turns(self, case: Case) -> None:
        explore(case, perform, plain_names(case), instances=2, share=0.6)

    @check("MODEL-004", needs=WRITE)
    def test_model_long_history_of_several_usages(self, case: Case) -> None:
        explore_usages(case, perform, [*plain_names(case), *writable(case)])
