"""Jobs go to the first process that is free."""

from lslm.costing.scheduling import finish


def test_the_longest_process_tells_when_all_is_done():
    assert finish([3.0, 1.0, 1.0, 1.0], 2) == ([3.0, 1.0, 1.0, 1.0], 3.0)


def test_nothing_starts_late():
    done, end = finish([4.0] * 10, 2, last_start=5.0)
    assert len(done) == 4
    assert end == 8.0


def test_no_jobs_take_no_time():
    assert finish([], 3) == ([], 0.0)
