"""A seller's whole catalogue as a file: out, and in again after a look at what that would change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request, stream_with_context, url_for
from flask_login import current_user
from flask_wtf.file import FileField, FileRequired
from sqlalchemy import Row
from werkzeug.datastructures import FileStorage

from shop import catalogue_csv, catalogue_imports, i18n, limits, listings, sellers
from shop.database import db, let_go
from shop.errors import NotFound, Refused
from shop.hypermedia import Answer, Form, leave, page
from shop.i18n import _, _l
from shop.limits import each_address
from shop.models import ImportState, Outcome
from shop.routes import catalogue_words
from shop.spreadsheets import tame

bp = Blueprint("catalogue", __name__, url_prefix="/seller/products")

OUTCOMES = {
    Outcome.REFUSED: _l("Refused"),
    Outcome.CREATED: _l("New"),
    Outcome.CHANGED: _l("Changed"),
    Outcome.UNCHANGED: _l("Unchanged"),
}
BUSY = (ImportState.CHECKING, ImportState.APPLYING)
AT_ONCE = 1000  # lines of a report that are read at once


class FileForm(Form):
    """A file with products."""

    file = FileField(_l("CSV file, at most 5 MB and 10,000 lines"), [FileRequired(_l("Choose a file."))])


def _seller() -> int:
    seller = sellers.of(current_user)
    if seller is None:
        raise NotFound(_("You do not sell here."))
    return seller.id


@bp.get("/export.csv")
def export() -> Answer:
    """All of a seller's products, one line a size and colour."""
    limits.spend(limits.EXPORTS, "exports", str(current_user.id))
    text = catalogue_csv.exported(_seller(), i18n.language())
    return _file(stream_with_context(text), "etalage-products.csv")


@bp.get("/template.csv")
def template() -> Answer:
    """An empty file with the columns of one category."""
    return _file(catalogue_csv.template(request.args.get("category", ""), i18n.language()), "etalage-template.csv")


def _file(text: str | Iterator[str], name: str) -> Response:
    answer = Response(text, mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@bp.get("/import")
def index() -> Answer:
    """Where a file is sent from, and how the last ones went."""
    return _index(FileForm(None))


def _index(form: Form, status: int = 200) -> Answer:
    sent, kinds = catalogue_imports.of(_seller()), listings.categories_known()
    facts: dict[str, Any] = {"kinds": kinds, "states": STATES, "columns": catalogue_words.told(kinds)}
    return page("catalogue/index.html", "sending", status=status, form=form, sent=sent, **facts)


@bp.post("/import")
@each_address("20 per hour")
def send() -> Answer:
    """Take a file, and have it looked at; nothing changes yet."""
    form = FileForm()
    if not form.validate():
        return _index(form, 422)
    file: FileStorage = form.file.data
    let_go()
    content = file.stream.read(catalogue_csv.LARGEST + 1)
    try:
        sent = catalogue_imports.send(current_user, content, file.filename or "")
    except Refused as no:
        form.file.errors = [no.words]
        return _index(form, no.status)
    db.session.commit()
    return leave(url_for(".show", code=sent.code))


STATES = {
    ImportState.CHECKING: _l("Being looked at"),
    ImportState.READY: _l("Waits for your word"),
    ImportState.APPLYING: _l("Being carried out"),
    ImportState.DONE: _l("Done"),
    ImportState.FAILED: _l("Cannot be read"),
}


@bp.get("/import/<code>")
def show(code: str) -> Answer:
    """What a file would do, or did, line by line."""
    sent = catalogue_imports.called(_seller(), code)
    counts = catalogue_imports.counts(sent.id)
    outcome = request.args.get("outcome", "")
    after = request.args.get("after", "0")
    found = catalogue_imports.report(sent.id, outcome, int(after) if after.isdecimal() and len(after) < 9 else 0)
    return page(
        "catalogue/show.html",
        "report",
        sent=sent,
        states=STATES,
        is_busy=sent.state in BUSY,
        counts={code: counts.get(code, 0) for code in OUTCOMES},
        outcomes=OUTCOMES,
        outcome=outcome,
        found=found,
        names_of=catalogue_words.names_of,
        more=found[-1].line if len(found) == catalogue_imports.PAGE else None,
    )


@bp.post("/import/<code>/application")
def carry_out(code: str) -> Answer:
    """Do what it says."""
    catalogue_imports.carry_out(current_user, code)
    db.session.commit()
    return leave(url_for(".show", code=code))


@bp.get("/import/<code>/report.csv")
def report(code: str) -> Answer:
    """The report as a file."""
    limits.spend(limits.EXPORTS, "exports", str(current_user.id))
    sent = catalogue_imports.called(_seller(), code)
    return _file(stream_with_context(_written(sent.id)), "etalage-report.csv")


def _written(number: int) -> Iterator[str]:
    sign, _comma = catalogue_csv.dialect(i18n.language())
    names = (_("Line"), _("Product"), _("SKU"), _("Outcome"), _("Columns"), _("Why"))
    yield "\ufeff" + catalogue_csv.written([names], sign)
    after = 0
    while found := catalogue_imports.report(number, after=after, most=AT_ONCE):
        told = (
            (str(row.line), tame(row.product), tame(row.sku), str(OUTCOMES[row.outcome]), _columns(row), tame(row.why))
            for row in found
        )
        yield catalogue_csv.written(told, sign)
        after = found[-1].line


def _columns(row: Row[Any]) -> str:
    return ", ".join(catalogue_words.names_of(row.columns))
