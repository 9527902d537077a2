from __future__ import annotations

import pytest

from remote_store.core.s3 import LANE_API_VERSION, require_lane_api


def test_a_lane_of_this_version_is_imported() -> None:
    require_lane_api(LANE_API_VERSION, "my-lane")


@pytest.mark.parametrize("version", [LANE_API_VERSION - 1, LANE_API_VERSION + 1])
def test_a_lane_of_another_version_is_refused(version: int) -> None:
    with pytest.raises(
        ImportError, match=rf"my-lane .*{version} .*remote-store-core 0.*{LANE_API_VERSION}.*pip install"
    ):
        require_lane_api(version, "my-lane")
