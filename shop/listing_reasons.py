"""Listing reasons: why a listing is taken down or has to be changed, in ready words, each with the rule it rests on."""

from __future__ import annotations

from typing import NamedTuple

from shop.i18n import _l


class Reason(NamedTuple):
    """A reason in words, and the law or the rule of this shop behind it."""

    words: str
    rule: str


REASONS: dict[str, Reason] = {
    "not_for_sale_here": Reason(
        _l("Goods like this are not for sale at Etalage."), _l("Our terms: what is not for sale")
    ),
    "unsafe": Reason(_l("It is not safe, or was called back."), "GPSR (EU) 2023/988, art. 22"),
    "counterfeit": Reason(_l("It bears a brand that you have not shown you may use."), "EUTMR (EU) 2017/1001, art. 9"),
    "copied_picture": Reason(_l("A picture is somebody else's."), _l("Copyright; our terms: your own pictures")),
    "green_claim": Reason(
        _l("It says that it is good for nature or climate without proof."), "Dir. 2005/29/EC, annex I, 4a-4c"
    ),
    "medical_claim": Reason(_l("It promises that it heals."), "Dir. 2005/29/EC, annex I, 17"),
    "misleading": Reason(_l("It is not what the words or pictures say."), "Dir. 2005/29/EC, art. 6"),
    "wrong_category": Reason(
        _l("It stands in the wrong category, so facts are missing."), "DSA (EU) 2022/2065, art. 31"
    ),
    "missing_facts": Reason(_l("Required facts are missing or not right."), "GPSR (EU) 2023/988, art. 19"),
    "other": Reason(_l("Something else: see below."), _l("Our terms")),
}


def said(code: str) -> tuple[str, str]:
    """A reason and its rule in the language of who reads it; nothing for no reason."""
    found = REASONS.get(code)
    return (str(found.words), str(found.rule)) if found else ("", "")
