"""The checks of the contract, a folder per area."""

from __future__ import annotations

from remote_store.conformance.suite.aio.changing.copying import AsyncCopyingSuite, AsyncMovingSuite
from remote_store.conformance.suite.aio.changing.deleting import AsyncDeletingSuite
from remote_store.conformance.suite.aio.changing.many import AsyncManySuite
from remote_store.conformance.suite.aio.concurrency.mixed import AsyncMixedSuite
from remote_store.conformance.suite.aio.concurrency.nested import AsyncNestedSuite
from remote_store.conformance.suite.aio.concurrency.races import AsyncRaceSuite
from remote_store.conformance.suite.aio.conditions.etags import AsyncConditionSuite
from remote_store.conformance.suite.aio.conditions.swapping import AsyncSwapSuite
from remote_store.conformance.suite.aio.errors.capabilities import AsyncCapabilitySuite
from remote_store.conformance.suite.aio.errors.limits import AsyncLimitSuite
from remote_store.conformance.suite.aio.errors.mistakes import AsyncMistakeSuite
from remote_store.conformance.suite.aio.errors.plain import AsyncErrSuite
from remote_store.conformance.suite.aio.facts.attributes import AsyncAttributeSuite
from remote_store.conformance.suite.aio.facts.checksums import AsyncChecksumSuite
from remote_store.conformance.suite.aio.facts.clocks import AsyncClockSuite
from remote_store.conformance.suite.aio.facts.corpus import AsyncFactSuite
from remote_store.conformance.suite.aio.facts.headers import AsyncHeaderSuite
from remote_store.conformance.suite.aio.facts.metadata import AsyncMetadataSuite
from remote_store.conformance.suite.aio.facts.versions import AsyncVersionSuite
from remote_store.conformance.suite.aio.failures.faulty import AsyncFaultySuite
from remote_store.conformance.suite.aio.failures.outages import AsyncOutageSuite
from remote_store.conformance.suite.aio.first import AsyncFirstSuite
from remote_store.conformance.suite.aio.listing.folders import AsyncFolderSuite
from remote_store.conformance.suite.aio.listing.glob import AsyncGlobSuite
from remote_store.conformance.suite.aio.listing.levels import AsyncLevelSuite
from remote_store.conformance.suite.aio.listing.pages import AsyncPageSuite
from remote_store.conformance.suite.aio.listing.patterns import AsyncPatternSuite
from remote_store.conformance.suite.aio.listing.plain import AsyncListingSuite
from remote_store.conformance.suite.aio.listing.straddling import AsyncStraddlingSuite
from remote_store.conformance.suite.aio.lives.exiting import AsyncExitingSuite
from remote_store.conformance.suite.aio.lives.forks import AsyncForkSuite
from remote_store.conformance.suite.aio.lives.histories import AsyncHistorySuite
from remote_store.conformance.suite.aio.lives.leftovers import AsyncLeftoverSuite
from remote_store.conformance.suite.aio.lives.life import AsyncLifeSuite
from remote_store.conformance.suite.aio.lives.middle import AsyncMiddleSuite
from remote_store.conformance.suite.aio.lives.peers import AsyncPeerSuite
from remote_store.conformance.suite.aio.lives.process import AsyncProcessSuite
from remote_store.conformance.suite.aio.names.beside import AsyncBesideSuite
from remote_store.conformance.suite.aio.names.corpus import AsyncNameSuite
from remote_store.conformance.suite.aio.names.paths import AsyncPathSuite
from remote_store.conformance.suite.aio.reading.plain import AsyncReadSuite
from remote_store.conformance.suite.aio.reading.programs import AsyncProgramSuite
from remote_store.conformance.suite.aio.reading.seeking import AsyncSeekSuite
from remote_store.conformance.suite.aio.reading.slices import AsyncSliceSuite
from remote_store.conformance.suite.aio.s3.commits import AsyncCommitSuite
from remote_store.conformance.suite.aio.s3.credentials import AsyncCredentialSuite
from remote_store.conformance.suite.aio.s3.names import AsyncS3Suite
from remote_store.conformance.suite.aio.s3.probing import AsyncProbingSuite
from remote_store.conformance.suite.aio.s3.resuming import AsyncResumingSuite
from remote_store.conformance.suite.aio.s3.signing import AsyncSigningSuite
from remote_store.conformance.suite.aio.s3.uploads import AsyncUploadSuite
from remote_store.conformance.suite.aio.wire.bodies import AsyncBodySuite
from remote_store.conformance.suite.aio.wire.contradictions import AsyncContradictionSuite
from remote_store.conformance.suite.aio.wire.cost import AsyncCostSuite
from remote_store.conformance.suite.aio.wire.faults import AsyncWireSuite
from remote_store.conformance.suite.aio.wire.proof import AsyncProofSuite
from remote_store.conformance.suite.aio.writing.atomic import AsyncAtomSuite
from remote_store.conformance.suite.aio.writing.contents import AsyncContentSuite
from remote_store.conformance.suite.aio.writing.drafts import AsyncDraftSuite
from remote_store.conformance.suite.aio.writing.plain import AsyncWriteSuite
from remote_store.conformance.suite.aio.writing.refusals import AsyncRefusalSuite
from remote_store.conformance.suite.aio.writing.sources import AsyncSourceSuite
from remote_store.conformance.suite.aio.writing.surprises import AsyncSurpriseSuite

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
