"""Chain check: once a day, whether the audit stands as it was written."""

from __future__ import annotations

from datetime import timedelta

import structlog

from shop import alerts, audit, clock, jobs

log = structlog.get_logger()


@jobs.regularly(timedelta(days=1))
def look_at_the_audit() -> None:
    """Check the whole chain, and keep its last hash where the database cannot change it: in the log and in the mail."""
    found = audit.verify()
    day = clock.now().date().isoformat()
    if found.broken is not None:
        log.error("the audit is broken", entry=found.broken, how=found.how)
        alerts.tell_once("audit-broken", day, entry=found.broken, how=found.how)
        return
    log.info("the audit holds", entries=found.entries, head=_in_groups(found.hash))
    alerts.tell_once("audit-holds", day, entries=found.entries, hash=found.hash)


def _in_groups(digest: str) -> str:
    """In groups of eight, which the log does not take for a secret."""
    return " ".join(digest[n : n + 8] for n in range(0, len(digest), 8))
