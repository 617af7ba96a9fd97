"""The public counts: exactly what was decided, in which month of Amsterdam, why, after how long; how appeals ended."""

from datetime import UTC, date, datetime, timedelta

import pytest

from shop import clock, reasons, statements, transparency
from shop.database import db
from shop.models import Appeal, AppealOutcome, Role, Verdict
from shop.words import Words
from tests.applicants import a_person
from tests.cast import a_seller

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
LAST_OF_OCTOBER = datetime(2026, 10, 31, 22, 59, tzinfo=UTC)  # one minute before midnight in Amsterdam
FIRST_OF_NOVEMBER = datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
A_YEAR_AGO = datetime(2025, 11, 30, 22, 59, tzinfo=UTC)  # the November before: out of the twelve months


@pytest.fixture
def told(app, at_the_desk):
    """`told(moment, verdict, reason, hours)`: this was decided then, after so many hours."""
    app.extensions.pop("shop.transparency", None)
    rex = a_person("rex", Role.MODERATOR)
    mina = a_seller("mina", "Atelier Mina")
    db.session.add(mina)
    db.session.commit()

    def decided(moment, verdict, reason=None, hours=None, by=rex):
        with clock.at(moment):
            since = moment - timedelta(hours=hours) if hours is not None else None
            made = statements.write(
                mina, verdict, by=by, reason=reason, words=Words(en="Because it is so."), sent_in=since
            )
        db.session.commit()
        return made

    yield decided
    app.extensions.pop("shop.transparency", None)


def appealed(about, moment, outcome=None):
    db.session.add(
        Appeal(
            statement_id=about.id,
            words="It is not so.",
            at=moment,
            outcome=outcome,
            decided_at=moment if outcome else None,
        )
    )
    db.session.commit()


def test_what_was_decided_is_counted_once_in_its_month_with_its_reason_and_how_its_appeal_ended(told):
    refusal, ban = reasons.REFUSALS["untrue"], reasons.BANS["repeatedly"]
    first = told(LAST_OF_OCTOBER, Verdict.REFUSED, refusal, 24)
    second = told(FIRST_OF_NOVEMBER, Verdict.REFUSED, refusal, 48)
    told(FIRST_OF_NOVEMBER, Verdict.REFUSED, reasons.REFUSALS["forged"], 96)
    told(NOW, Verdict.ASKED, None, 6)
    banned = told(NOW, Verdict.BANNED, ban)
    told(NOW, Verdict.SUSPENDED, reasons.BY_ITSELF["paper_ran_out"], by=None)
    old = told(A_YEAR_AGO, Verdict.REFUSED, refusal, 500)
    appealed(first, NOW, AppealOutcome.GRANTED)
    appealed(second, NOW)
    appealed(banned, NOW, AppealOutcome.DISMISSED)
    appealed(old, A_YEAR_AGO, AppealOutcome.GRANTED)
    with clock.at(NOW):
        found = transparency.report()
    assert (found.months[0], found.months[-2:]) == (date(2025, 12, 1), (date(2026, 10, 1), date(2026, 11, 1)))
    assert found.by_month == (
        *({} for _month in range(10)),
        {"refused": 1},
        {"refused": 2, "asked": 1, "banned": 1, "suspended": 1},
    )
    assert found.reasons == {
        ("refused", "untrue"): 2,
        ("refused", "forged"): 1,
        ("banned", "repeatedly"): 1,
        ("suspended", "paper_ran_out"): 1,
    }
    assert found.appeals == {"refused": {"granted": 1, "open": 1}, "banned": {"dismissed": 1}}
    assert [found.total(verdict) for verdict in ("refused", "asked", "banned", "suspended", "approved")] == [
        3,
        1,
        1,
        1,
        0,
    ]
    assert (found.automated, found.median_days) == (1, 1.0)  # after 6, 24, 48 and 96 hours


def test_the_next_month_begins_at_midnight_in_amsterdam_and_the_oldest_falls_out(told):
    told(datetime(2025, 12, 5, tzinfo=UTC), Verdict.ASKED)
    edge = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    with clock.at(edge - timedelta(minutes=1)):
        assert transparency.report().total("asked") == 1
    with clock.at(edge + timedelta(hours=1)):
        found = transparency.report()
    assert (found.months[-1], found.total("asked")) == (date(2026, 12, 1), 0)


def test_so_long_as_nothing_was_decided_there_is_nothing_to_count(told):
    with clock.at(NOW):
        found = transparency.report()
    assert (sum(map(len, found.by_month)), found.reasons, found.appeals) == (0, {}, {})
    assert (found.automated, found.median_days) == (0, None)
