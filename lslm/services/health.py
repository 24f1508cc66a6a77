"""Whether a server answers, asked over HTTP as its users would."""

import base64
import http.client
import json
import os
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, urlsplit

from lslm.errors import InputError

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_CLIENT = "lslm-up"
_SILENT = (OSError, ValueError, http.client.HTTPException)


def answers(url: str, seconds: float = 2.0) -> bool:
    """Whether a page is there."""
    try:
        _ask(url, seconds=seconds)
    except _SILENT:
        return False
    return True


def refuse_silent(where: str, address: str) -> None:
    """InputError where the server of MLflow, or of Prefect's API, does not answer; `where` names the address."""
    if not answers(f"{address.rstrip('/')}/health", seconds=10):
        raise InputError(
            f"{address} does not answer", where=where, right="a server that runs, or no address"
        )


def last_heartbeat(api: str, pool: str, worker: str) -> str | None:
    """When Prefect last heard of the worker; None where it never did, or does not answer."""
    try:
        workers: list[dict[str, Any]] = json.loads(
            _ask(f"{api}/work_pools/{quote(pool)}/workers/filter", {}, _csrf(api))
        )
    except _SILENT:
        return None
    return next((each["last_heartbeat_time"] for each in workers if each["name"] == worker), None)


def _csrf(api: str) -> dict[str, str]:
    """What a server that checks where requests come from wants to see; nothing where it does not."""
    try:
        token = json.loads(_ask(f"{api}/csrf-token?client={_CLIENT}"))["token"]
    except urllib.error.HTTPError:
        return {}
    return {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": _CLIENT}


def _ask(
    url: str,
    body: object | None = None,
    headers: dict[str, str] | None = None,
    seconds: float = 2.0,
) -> bytes:
    request = urllib.request.Request(  # noqa: S310 (the address is ours, or the user's own)
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **_credentials(url), **(headers or {})},
    )
    # A proxy knows nothing of this machine's own servers.
    near = urlsplit(url).hostname in _LOOPBACK
    handlers = [urllib.request.ProxyHandler({})] if near else []
    with urllib.request.build_opener(*handlers).open(request, timeout=seconds) as answer:
        return answer.read()


def _credentials(url: str) -> dict[str, str]:
    if "/api/" not in url:
        return {}
    if key := os.environ.get("PREFECT_API_KEY"):
        return {"Authorization": f"Bearer {key}"}
    if secret := os.environ.get("PREFECT_API_AUTH_STRING"):
        return {"Authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    return {}
