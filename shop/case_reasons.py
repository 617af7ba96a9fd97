"""Case reasons: why somebody has to look at a listing, with what cases before were about.

A reason has a code, a field and what was found, and may have more. What was approved once is not asked again. What is
pointed out as recalled is for a moderator to end, whatever its seller changes meanwhile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, select

from shop.database import rows
from shop.listing_checks import RECALLED, Risk
from shop.models import CaseState, ListingCase

Reasons = dict[tuple[str, str], dict[str, Any]]  # by code and what was found

cases = ListingCase.__table__
_OF = select(cases.c.why, cases.c.state).where(
    cases.c.product_id == bindparam("product"),
    cases.c.state.in_((CaseState.APPROVED, CaseState.FIX, CaseState.WAITING)),
)


def of(product_id: int) -> dict[str, Reasons]:
    """What the cases of a product were about, by what became of them."""
    found: dict[str, Reasons] = defaultdict(dict)
    for row in rows(_OF, product=product_id):
        found[row.state] |= {(each["code"], each["found"]): each for each in row.why}
    return found


def anew(product_id: int, risks: Iterable[Risk]) -> list[dict[str, Any]]:
    """What has to be looked at before this product is for sale, of what was found in it now, and asked of it before."""
    before = of(product_id)
    now = {(risk.code, risk.found): {"code": risk.code, "field": risk.field, "found": risk.found} for risk in risks}
    wanted = now | recalled(before[CaseState.FIX])
    left = [each for which, each in wanted.items() if which not in before[CaseState.APPROVED]]
    return [*left, *recalled(before[CaseState.WAITING]).values()] if left else []


def more(product_id: int, why: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """All that a product waits for with these beside it; nothing where none of them is new."""
    before = of(product_id)
    known = before[CaseState.APPROVED].keys() | before[CaseState.WAITING].keys()
    new = [each for each in why if (each["code"], each["found"]) not in known]
    return [*before[CaseState.WAITING].values(), *new] if new else []


def lasting(product_id: int) -> list[dict[str, Any]]:
    """What waits and is not over when its seller takes the product back."""
    return list(recalled(of(product_id)[CaseState.WAITING]).values())


def recalled(among: Reasons) -> Reasons:
    """Those that say: an authority may have called it unsafe."""
    return {which: each for which, each in among.items() if each["code"] == RECALLED}
