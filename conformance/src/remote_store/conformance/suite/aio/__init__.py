"""The checks of the contract, a module per area."""

from __future__ import annotations

from remote_store.conformance.suite.aio.atomic import AsyncAtomSuite
from remote_store.conformance.suite.aio.attributes import AsyncAttributeSuite
from remote_store.conformance.suite.aio.beside import AsyncBesideSuite
from remote_store.conformance.suite.aio.bodies import AsyncBodySuite
from remote_store.conformance.suite.aio.capabilities import AsyncCapabilitySuite
from remote_store.conformance.suite.aio.checksums import AsyncChecksumSuite
from remote_store.conformance.suite.aio.clocks import AsyncClockSuite
from remote_store.conformance.suite.aio.commits import AsyncCommitSuite
from remote_store.conformance.suite.aio.conditions import AsyncConditionSuite
from remote_store.conformance.suite.aio.contents import AsyncContentSuite
from remote_store.conformance.suite.aio.contradictions import AsyncContradictionSuite
from remote_store.conformance.suite.aio.copying import AsyncCopyingSuite, AsyncMovingSuite
from remote_store.conformance.suite.aio.cost import AsyncCostSuite
from remote_store.conformance.suite.aio.credentials import AsyncCredentialSuite
from remote_store.conformance.suite.aio.deleting import AsyncDeletingSuite
from remote_store.conformance.suite.aio.drafts import AsyncDraftSuite
from remote_store.conformance.suite.aio.errors import AsyncErrSuite
from remote_store.conformance.suite.aio.exiting import AsyncExitingSuite
from remote_store.conformance.suite.aio.facts import AsyncFactSuite
from remote_store.conformance.suite.aio.faulty import AsyncFaultySuite
from remote_store.conformance.suite.aio.first import AsyncFirstSuite
from remote_store.conformance.suite.aio.folders import AsyncFolderSuite
from remote_store.conformance.suite.aio.forks import AsyncForkSuite
from remote_store.conformance.suite.aio.glob import AsyncGlobSuite
from remote_store.conformance.suite.aio.headers import AsyncHeaderSuite
from remote_store.conformance.suite.aio.histories import AsyncHistorySuite
from remote_store.conformance.suite.aio.leftovers import AsyncLeftoverSuite
from remote_store.conformance.suite.aio.levels import AsyncLevelSuite
from remote_store.conformance.suite.aio.life import AsyncLifeSuite
from remote_store.conformance.suite.aio.limits import AsyncLimitSuite
from remote_store.conformance.suite.aio.listing import AsyncListingSuite
from remote_store.conformance.suite.aio.many import AsyncManySuite
from remote_store.conformance.suite.aio.metadata import AsyncMetadataSuite
from remote_store.conformance.suite.aio.middle import AsyncMiddleSuite
from remote_store.conformance.suite.aio.mistakes import AsyncMistakeSuite
from remote_store.conformance.suite.aio.mixed import AsyncMixedSuite
from remote_store.conformance.suite.aio.names import AsyncNameSuite
from remote_store.conformance.suite.aio.nested import AsyncNestedSuite
from remote_store.conformance.suite.aio.outages import AsyncOutageSuite
from remote_store.conformance.suite.aio.pages import AsyncPageSuite
from remote_store.conformance.suite.aio.paths import AsyncPathSuite
from remote_store.conformance.suite.aio.patterns import AsyncPatternSuite
from remote_store.conformance.suite.aio.peers import AsyncPeerSuite
from remote_store.conformance.suite.aio.probing import AsyncProbingSuite
from remote_store.conformance.suite.aio.process import AsyncProcessSuite
from remote_store.conformance.suite.aio.programs import AsyncProgramSuite
from remote_store.conformance.suite.aio.proof import AsyncProofSuite
from remote_store.conformance.suite.aio.races import AsyncRaceSuite
from remote_store.conformance.suite.aio.reading import AsyncReadSuite
from remote_store.conformance.suite.aio.refusals import AsyncRefusalSuite
from remote_store.conformance.suite.aio.resuming import AsyncResumingSuite
from remote_store.conformance.suite.aio.s3 import AsyncS3Suite
from remote_store.conformance.suite.aio.seeking import AsyncSeekSuite
from remote_store.conformance.suite.aio.signing import AsyncSigningSuite
from remote_store.conformance.suite.aio.slices import AsyncSliceSuite
from remote_store.conformance.suite.aio.sources import AsyncSourceSuite
from remote_store.conformance.suite.aio.straddling import AsyncStraddlingSuite
from remote_store.conformance.suite.aio.surprises import AsyncSurpriseSuite
from remote_store.conformance.suite.aio.swapping import AsyncSwapSuite
from remote_store.conformance.suite.aio.uploads import AsyncUploadSuite
from remote_store.conformance.suite.aio.versions import AsyncVersionSuite
from remote_store.conformance.suite.aio.wire import AsyncWireSuite
from remote_store.conformance.suite.aio.writing import AsyncWriteSuite

__all__ = ["AsyncContract"]


class AsyncContract(
    AsyncFirstSuite,
    AsyncReadSuite,
    AsyncWriteSuite,
    AsyncListingSuite,
    AsyncDeletingSuite,
    AsyncErrSuite,
    AsyncPathSuite,
    AsyncMetadataSuite,
    AsyncSeekSuite,
    AsyncAtomSuite,
    AsyncGlobSuite,
    AsyncCopyingSuite,
    AsyncMovingSuite,
    AsyncManySuite,
    AsyncCapabilitySuite,
    AsyncLifeSuite,
    AsyncLimitSuite,
    AsyncCredentialSuite,
    AsyncPeerSuite,
    AsyncChecksumSuite,
    AsyncHeaderSuite,
    AsyncVersionSuite,
    AsyncSwapSuite,
    AsyncSigningSuite,
    AsyncCostSuite,
    AsyncS3Suite,
    AsyncCommitSuite,
    AsyncProbingSuite,
    AsyncBodySuite,
    AsyncContradictionSuite,
    AsyncUploadSuite,
    AsyncResumingSuite,
    AsyncProofSuite,
    AsyncWireSuite,
    AsyncOutageSuite,
    AsyncSurpriseSuite,
    AsyncContentSuite,
    AsyncProgramSuite,
    AsyncSliceSuite,
    AsyncSourceSuite,
    AsyncDraftSuite,
    AsyncFactSuite,
    AsyncAttributeSuite,
    AsyncConditionSuite,
    AsyncMistakeSuite,
    AsyncRefusalSuite,
    AsyncNameSuite,
    AsyncBesideSuite,
    AsyncPatternSuite,
    AsyncLevelSuite,
    AsyncPageSuite,
    AsyncStraddlingSuite,
    AsyncClockSuite,
    AsyncFolderSuite,
    AsyncNestedSuite,
    AsyncLeftoverSuite,
    AsyncExitingSuite,
    AsyncForkSuite,
    AsyncMiddleSuite,
    AsyncMixedSuite,
    AsyncProcessSuite,
    AsyncFaultySuite,
    AsyncHistorySuite,
    AsyncRaceSuite,
):
    """All checks that synchronous and asynchronous backends share, in the order in which they run: plain ones first."""
