"""When a pipeline runs by itself, and what a deployment came to; the flows do the deploying."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Timetable:
    """When to run: at most one of the three."""

    cron: str | None = None
    interval: str | None = None
    """Such as `24h`."""
    rrule: str | None = None
    """RFC 5545."""
    timezone: str = "UTC"

    def __str__(self) -> str:
        """In words for a person; empty without a schedule.

        Example:
            >>> str(Timetable(cron="0 3 * * *"))
            'cron 0 3 * * * (UTC)'
        """
        given = {"cron": self.cron, "every": self.interval, "rrule": self.rrule}
        said = [f"{kind} {value} ({self.timezone})" for kind, value in given.items() if value]
        return said[0] if said else ""


@dataclass(frozen=True)
class Deployed:
    """A deployment on a Prefect server."""

    name: str
    """As Prefect's commands take it: flow and deployment."""
    id: str
    page: str
    """Where a person sees it."""
    pool: str
    schedule: str
    paused: bool
