"""Tries: how often somebody may try to pay, so that nobody tests stolen cards here or holds all goods.

Only what begins anew counts: however often a form is sent, its purchase and its attempt are one try.
"""

from __future__ import annotations

from werkzeug.exceptions import TooManyRequests

from shop import limits

PLACINGS = "20 per 10 minutes"  # attempts to pay, from one address
DECLINES = "10 per hour"  # from one address, and of one account
LOOKS = "1 per 2 seconds"  # at how an attempt stands with the gateway
MOST = 6  # attempts for one purchase
WAIT = 600  # seconds, for who has had them


def begin(number: int, person: int | None) -> None:
    """Count an attempt that has just begun, the `number`th of its purchase; 429 where it is one too many."""
    if number > MOST:
        raise TooManyRequests(retry_after=WAIT)
    for whose in _declined(person):
        limits.check(DECLINES, *whose)
    limits.spend(PLACINGS, "placing", limits.who_asks())


def declined(person: int | None) -> None:
    """A bank said no."""
    for whose in _declined(person):
        limits.may_spend(DECLINES, *whose)


def may_look(attempt: int) -> bool:
    """Is it time to ask the gateway again? Otherwise our own rows say how it stands."""
    return limits.may_spend(LOOKS, "look", str(attempt))


def _declined(person: int | None) -> list[tuple[str, str]]:
    whose = [("declined address", limits.who_asks())]
    return [*whose, ("declined account", str(person))] if person else whose
