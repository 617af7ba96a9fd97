"""The forms of the moderators' desk, and what is said there when something was done."""

from __future__ import annotations

from typing import Any

from wtforms import DateField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from shop import i18n, reasons, sellers
from shop.hypermedia import Form, at_most
from shop.i18n import _, _l
from shop.models import Vetting
from shop.reasons import Reason


def _offered(among: dict[str, Reason]) -> list[SelectChoice]:
    """The reasons in the moderator's language, after an empty line that is none."""
    said = [SelectChoice(one.code, one.said.said(i18n.language())) for one in among.values()]
    return [SelectChoice("", _("Choose a reason")), *said]


class ItemForm(Form):
    """What to make of one item: accepted, or what has to be put right."""

    state = HiddenField()
    reason = HiddenField()
    valid_until = DateField(_l("Valid until"), [Optional()])
    document = StringField(_l("Number of the paper"), [at_most(30)])  # never shown again, kept as a mark only
    words = TextAreaField(_l("In your own words"), [at_most(500)])
    seen = HiddenField()


class DecisionForm(Form):
    """What follows, and why."""

    verdict = HiddenField()
    reason = SelectField(_l("Reason"), validate_choice=False)
    words = TextAreaField(_l("What happened: the applicant reads this"), [at_most(900)])
    seen = HiddenField()

    def __init__(self, *given: Any, among: dict[str, Reason] = reasons.REFUSALS, **more: Any) -> None:
        super().__init__(*given, **more)
        self.reason.choices = _offered(among)


# What was done on the page before; its address says which.
DONE = {
    Vetting.APPROVED: _l("Approved. They are told by mail, and may sell from now on."),
    Vetting.NEEDS_FIXING: _l("Sent back, with what has to be put right. They are told by mail."),
    Vetting.REFUSED: _l("Refused. They are told by mail why, and how to appeal."),
    Vetting.SUSPENDED: _l("Their sales are stopped, on every page and in every cart. They are told by mail why."),
    sellers.LIFTED: _l("They may sell again. They are told by mail."),
    "proposed": _l("This waits for a second person. Nothing has happened yet."),
    "released": _l("They can be paid out again. They are told by mail."),
    "let_go": _l("Somebody else may take it now."),
}
