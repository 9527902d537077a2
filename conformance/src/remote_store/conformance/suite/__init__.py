# Generated from conformance/src/remote_store/conformance/suite/aio/__init__.py by tools/unasync.py; edit that.
"""The checks of the contract, a module per area."""

from __future__ import annotations

from remote_store.conformance.suite.atomic import AtomSuite
from remote_store.conformance.suite.attributes import AttributeSuite
from remote_store.conformance.suite.beside import BesideSuite
from remote_store.conformance.suite.bodies import BodySuite
from remote_store.conformance.suite.capabilities import CapabilitySuite
from remote_store.conformance.suite.checksums import ChecksumSuite
from remote_store.conformance.suite.clocks import ClockSuite
from remote_store.conformance.suite.commits import CommitSuite
from remote_store.conformance.suite.conditions import ConditionSuite
from remote_store.conformance.suite.contents import ContentSuite
from remote_store.conformance.suite.contradictions import ContradictionSuite
from remote_store.conformance.suite.copying import CopyingSuite, MovingSuite
from remote_store.conformance.suite.cost import CostSuite
from remote_store.conformance.suite.credentials import CredentialSuite
from remote_store.conformance.suite.deleting import DeletingSuite
from remote_store.conformance.suite.drafts import DraftSuite
from remote_store.conformance.suite.errors import ErrSuite
from remote_store.conformance.suite.exiting import ExitingSuite
from remote_store.conformance.suite.facts import FactSuite
from remote_store.conformance.suite.faulty import FaultySuite
from remote_store.conformance.suite.first import FirstSuite
from remote_store.conformance.suite.folders import FolderSuite
from remote_store.conformance.suite.forks import ForkSuite
from remote_store.conformance.suite.glob import GlobSuite
from remote_store.conformance.suite.headers import HeaderSuite
from remote_store.conformance.suite.histories import HistorySuite
from remote_store.conformance.suite.leftovers import LeftoverSuite
from remote_store.conformance.suite.levels import LevelSuite
from remote_store.conformance.suite.life import LifeSuite
from remote_store.conformance.suite.limits import LimitSuite
from remote_store.conformance.suite.listing import ListingSuite
from remote_store.conformance.suite.many import ManySuite
from remote_store.conformance.suite.metadata import MetadataSuite
from remote_store.conformance.suite.middle import MiddleSuite
from remote_store.conformance.suite.mistakes import MistakeSuite
from remote_store.conformance.suite.mixed import MixedSuite
from remote_store.conformance.suite.names import NameSuite
from remote_store.conformance.suite.nested import NestedSuite
from remote_store.conformance.suite.outages import OutageSuite
from remote_store.conformance.suite.pages import PageSuite
from remote_store.conformance.suite.paths import PathSuite
from remote_store.conformance.suite.patterns import PatternSuite
from remote_store.conformance.suite.peers import PeerSuite
from remote_store.conformance.suite.probing import ProbingSuite
from remote_store.conformance.suite.process import ProcessSuite
from remote_store.conformance.suite.programs import ProgramSuite
from remote_store.conformance.suite.proof import ProofSuite
from remote_store.conformance.suite.races import RaceSuite
from remote_store.conformance.suite.reading import ReadSuite
from remote_store.conformance.suite.refusals import RefusalSuite
from remote_store.conformance.suite.resuming import ResumingSuite
from remote_store.conformance.suite.s3 import S3Suite
from remote_store.conformance.suite.seeking import SeekSuite
from remote_store.conformance.suite.signing import SigningSuite
from remote_store.conformance.suite.slices import SliceSuite
from remote_store.conformance.suite.sources import SourceSuite
from remote_store.conformance.suite.straddling import StraddlingSuite
from remote_store.conformance.suite.surprises import SurpriseSuite
from remote_store.conformance.suite.swapping import SwapSuite
from remote_store.conformance.suite.uploads import UploadSuite
from remote_store.conformance.suite.versions import VersionSuite
from remote_store.conformance.suite.wire import WireSuite
from remote_store.conformance.suite.writing import WriteSuite

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
