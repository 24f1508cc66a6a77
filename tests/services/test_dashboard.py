"""Optuna's dashboard answers under this machine's own names only."""

import pytest

from lslm.search.dashboard import only_here


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8080", "200 OK"), ("localhost", "200 OK"), ("evil.example:8080", "403 Forbidden")],
)
def test_foreign_names_are_refused(host, status):
    said = []

    def application(environment, respond):
        respond("200 OK", [])
        return [b"studies"]

    only_here(application)({"HTTP_HOST": host}, lambda line, headers: said.append(line))
    assert said == [status]
