# Generated from conformance/src/remote_store/conformance/suite/aio/__init__.py by tools/unasync.py; edit that.
"""The checks of the contract, a folder per area."""

from __future__ import annotations

from remote_store.conformance.suite.changing.copying import CopyingSuite, MovingSuite
from remote_store.conformance.suite.changing.deleting import DeletingSuite
from remote_store.conformance.suite.changing.many import ManySuite
from remote_store.conformance.suite.concurrency.mixed import MixedSuite
from remote_store.conformance.suite.concurrency.nested import NestedSuite
from remote_store.conformance.suite.concurrency.races import RaceSuite
from remote_store.conformance.suite.conditions.etags import ConditionSuite
from remote_store.conformance.suite.conditions.swapping import SwapSuite
from remote_store.conformance.suite.errors.capabilities import CapabilitySuite
from remote_store.conformance.suite.errors.limits import LimitSuite
from remote_store.conformance.suite.errors.mistakes import MistakeSuite
from remote_store.conformance.suite.errors.plain import ErrSuite
from remote_store.conformance.suite.facts.attributes import AttributeSuite
from remote_store.conformance.suite.facts.checksums import ChecksumSuite
from remote_store.conformance.suite.facts.clocks import ClockSuite
from remote_store.conformance.suite.facts.corpus import FactSuite
from remote_store.conformance.suite.facts.headers import HeaderSuite
from remote_store.conformance.suite.facts.metadata import MetadataSuite
from remote_store.conformance.suite.facts.versions import VersionSuite
from remote_store.conformance.suite.failures.faulty import FaultySuite
from remote_store.conformance.suite.failures.outages import OutageSuite
from remote_store.conformance.suite.first import FirstSuite
from remote_store.conformance.suite.listing.folders import FolderSuite
from remote_store.conformance.suite.listing.glob import GlobSuite
from remote_store.conformance.suite.listing.levels import LevelSuite
from remote_store.conformance.suite.listing.pages import PageSuite
from remote_store.conformance.suite.listing.patterns import PatternSuite
from remote_store.conformance.suite.listing.plain import ListingSuite
from remote_store.conformance.suite.listing.straddling import StraddlingSuite
from remote_store.conformance.suite.lives.exiting import ExitingSuite
from remote_store.conformance.suite.lives.forks import ForkSuite
from remote_store.conformance.suite.lives.histories import HistorySuite
from remote_store.conformance.suite.lives.leftovers import LeftoverSuite
from remote_store.conformance.suite.lives.life import LifeSuite
from remote_store.conformance.suite.lives.middle import MiddleSuite
from remote_store.conformance.suite.lives.peers import PeerSuite
from remote_store.conformance.suite.lives.process import ProcessSuite
from remote_store.conformance.suite.names.beside import BesideSuite
from remote_store.conformance.suite.names.corpus import NameSuite
from remote_store.conformance.suite.names.paths import PathSuite
from remote_store.conformance.suite.reading.plain import ReadSuite
from remote_store.conformance.suite.reading.programs import ProgramSuite
from remote_store.conformance.suite.reading.seeking import SeekSuite
from remote_store.conformance.suite.reading.slices import SliceSuite
from remote_store.conformance.suite.s3.commits import CommitSuite
from remote_store.conformance.suite.s3.credentials import CredentialSuite
from remote_store.conformance.suite.s3.names import S3Suite
from remote_store.conformance.suite.s3.probing import ProbingSuite
from remote_store.conformance.suite.s3.resuming import ResumingSuite
from remote_store.conformance.suite.s3.signing import SigningSuite
from remote_store.conformance.suite.s3.uploads import UploadSuite
from remote_store.conformance.suite.wire.bodies import BodySuite
from remote_store.conformance.suite.wire.contradictions import ContradictionSuite
from remote_store.conformance.suite.wire.cost import CostSuite
from remote_store.conformance.suite.wire.faults import WireSuite
from remote_store.conformance.suite.wire.proof import ProofSuite
from remote_store.conformance.suite.writing.atomic import AtomSuite
from remote_store.conformance.suite.writing.contents import ContentSuite
from remote_store.conformance.suite.writing.drafts import DraftSuite
from remote_store.conformance.suite.writing.plain import WriteSuite
from remote_store.conformance.suite.writing.refusals import RefusalSuite
from remote_store.conformance.suite.writing.sources import SourceSuite
from remote_store.conformance.suite.writing.surprises import SurpriseSuite

__all__ = ["Contract"]


class Contract(
    FirstSuite,
    ReadSuite,
    WriteSuite,
    ListingSuite,
    DeletingSuite,
    ErrSuite,
    PathSuite,
    MetadataSuite,
    SeekSuite,
    AtomSuite,
    GlobSuite,
    CopyingSuite,
    MovingSuite,
    ManySuite,
    CapabilitySuite,
    LifeSuite,
    LimitSuite,
    CredentialSuite,
    PeerSuite,
    ChecksumSuite,
    HeaderSuite,
    VersionSuite,
    SwapSuite,
    SigningSuite,
    CostSuite,
    S3Suite,
    CommitSuite,
    ProbingSuite,
    BodySuite,
    ContradictionSuite,
    UploadSuite,
    ResumingSuite,
    ProofSuite,
    WireSuite,
    OutageSuite,
    SurpriseSuite,
    ContentSuite,
    ProgramSuite,
    SliceSuite,
    SourceSuite,
    DraftSuite,
    FactSuite,
    AttributeSuite,
    ConditionSuite,
    MistakeSuite,
    RefusalSuite,
    NameSuite,
    BesideSuite,
    PatternSuite,
    LevelSuite,
    PageSuite,
    StraddlingSuite,
    ClockSuite,
    FolderSuite,
    NestedSuite,
    LeftoverSuite,
    ExitingSuite,
    ForkSuite,
    MiddleSuite,
    MixedSuite,
    ProcessSuite,
    FaultySuite,
    HistorySuite,
    RaceSuite,
):
    """All checks that synchronous and asynchronous backends share, in the order in which they run: plain ones first."""
