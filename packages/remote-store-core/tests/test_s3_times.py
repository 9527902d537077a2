from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from remote_store.core.s3.protocol.times import parse_time

HTTP_TIMES = st.tuples(
    st.sampled_from(["Wed, ", "wed, ", "", "Wednesday, "]),
    st.sampled_from(["21 ", "01 ", "1 ", "31 ", "00 "]),
    st.sampled_from(["Oct ", "Jan ", "Dec ", "Feb ", "oct ", "Okt ", "10 "]),
    st.sampled_from(["2015 ", "1999 ", "0015 ", "15 ", "-2015 "]),
    st.sampled_from(["07:28:00", "23:59:59", "23:59:60", "24:00:00", "07:28", "7:28:00"]),
    st.sampled_from([" GMT", " UTC", " +0100", "", " GMT "]),
).map("".join)


@given(HTTP_TIMES)
@example("Wed, 21 Oct 2015 07:28:00 GMT")
@example("Wed, 31 Feb 2015 07:28:00 GMT")
def test_a_time_in_a_header_reads_as_one_of_an_e_mail(text):
    assert time_or_error(parse_time, text) == time_or_error(parsedate_to_datetime, text)


def time_or_error(read: Callable[[str], datetime], text: str) -> Any:
    try:
        time = read(text)
    except ValueError:
        return ValueError
    # One without a zone is not the same as one in UTC.
    return time, time.tzinfo
