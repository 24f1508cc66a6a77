"""Optuna's dashboard on this machine: `python -m lslm.search.dashboard HOST PORT`."""

import os
import sys
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIServer, make_server

import optuna

from lslm.services.addresses import STUDY
from lslm.services.sqlite import one_migration

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
_OWN_NAMES = {"127.0.0.1", "localhost"}


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True


def serve(host: str, port: int, url: str) -> None:
    """Serve the studies at `url` until stopped; its tables are made if need be."""
    import optuna_dashboard

    with one_migration(url):
        storage = optuna.storages.RDBStorage(url)
    application: Application = optuna_dashboard.wsgi(storage)
    with make_server(host, port, only_here(application), server_class=_Threaded) as server:
        server.serve_forever()


def only_here(application: Application) -> Application:
    """Refuse requests under foreign names: a page of the web can point its name to this machine."""

    def guarded(environment: dict[str, Any], respond: Callable[..., Any]) -> Iterable[bytes]:
        if environment.get("HTTP_HOST", "").partition(":")[0] in _OWN_NAMES:
            return application(environment, respond)
        respond("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"this host name is not served\n"]

    return guarded


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), os.environ[STUDY])
