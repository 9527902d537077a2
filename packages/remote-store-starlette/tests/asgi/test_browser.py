"""A browser that plays a video of the store, and jumps to another place in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import served
from video import webm

from conftest import Site

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER = os.environ.get("BROWSER_PROGRAM") or next(filter(None, map(shutil.which, BROWSERS)), None)

SECONDS = 60
RATE = 1 << 19

PAGE = """<!doctype html>
<video id="video" src="/files/clip.webm" preload="auto" muted></video>
<script>
  const video = document.getElementById("video")
  const report = event => fetch("/report", {method: "POST", body: JSON.stringify({
    event, time: video.currentTime, duration: video.duration, ready: video.readyState,
    size: [video.videoWidth, video.videoHeight], error: video.error && video.error.message})})
  video.onerror = () => report("error")
  video.onloadeddata = () => { video.onloadeddata = null; report("loaded"); video.currentTime = 50 }
  video.onseeked = () => report("seeked")
</script>
"""


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium; apt-get install chromium, or set BROWSER_PROGRAM")
def test_seeking_in_a_video_asks_for_a_range(site: Site, tmp_path: Path) -> None:
    video = webm(SECONDS, RATE)
    site.store.write("clip.webm", video)
    reports: list[dict[str, Any]] = []
    store = served.store_of(site.lane, site.bucket, **site.place)
    app = served.Seen(served.application(store, page=PAGE, reports=reports))
    with served.running(app) as url:
        # The address is one argument, and the rest keeps the browser to itself and off the network.
        process = subprocess.Popen(
            [
                str(BROWSER),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--no-proxy-server",
                f"--user-data-dir={tmp_path / 'profile'}",
                url,
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            until = time.monotonic() + 60
            while not any(report["event"] in {"seeked", "error"} for report in reports):
                assert process.poll() is None, "the browser ended"
                assert time.monotonic() < until, (reports, app.requests)
                time.sleep(0.05)
        finally:
            os.killpg(process.pid, 15)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait(10)
    assert [report["event"] for report in reports] == ["loaded", "seeked"], reports
    assert reports[0]["duration"] == SECONDS
    assert reports[0]["size"] == [16, 16]
    assert reports[1]["time"] == 50
    assert reports[1]["ready"] >= 2
    asked = [(wanted, status) for _, path, wanted, status in app.requests if path == "/files/clip.webm"]
    assert asked[0] == ("bytes=0-", 206)
    assert {status for _, status in asked} == {206}
    starts = [int((wanted or "").removeprefix("bytes=").partition("-")[0]) for wanted, _ in asked]
    assert max(starts) > 40 * RATE, asked
