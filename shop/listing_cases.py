"""Listing cases: a listing that somebody has to look at, and what was decided about it.

What is put up for sale is looked at by rules first. It is clear, or it waits for a moderator and is not for sale until
then, or it is refused on the spot. A moderator approves, asks for a change or takes down; whatever is live can be taken
down at any moment, and is gone from every page and cart at once, since all of them ask for products that are live.
What takes something away has a statement of reasons, and an appeal against that brings the product back.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, select, update

from shop import (
    appeals,
    audit,
    bystanders,
    case_reasons,
    clock,
    jobs,
    marks,
    newcomers,
    notifications,
    papers,
    picture_prints,
    prices,
    reasons,
    statements,
    word_list,
)
from shop.audit import Actor
from shop.database import connection, db, rows, run
from shop.errors import NotFound, Refused
from shop.i18n import _
from shop.listing_checks import Risk, lacking, risks
from shop.models import CaseState, Event, ListingCase, PaperKind, Product, ProductStatus, Seller, Statement, Verdict
from shop.reasons import Reason
from shop.word_list import Gravity
from shop.words import Words

# What becomes of the product with each verdict.
BECOMES = {
    CaseState.APPROVED: ProductStatus.LIVE,
    CaseState.FIX: ProductStatus.PAUSED,
    CaseState.TAKEN_DOWN: ProductStatus.DOWN,
}
CAN_GO_DOWN = (ProductStatus.LIVE, ProductStatus.REVIEW, ProductStatus.PAUSED)

cases, products = ListingCase.__table__, Product.__table__
_waiting = cases.c.state == CaseState.WAITING
_AGAIN = update(cases).where(cases.c.product_id == bindparam("product"), _waiting)
_WITHDRAW = _AGAIN.values(state=CaseState.WITHDRAWN, decided_at=bindparam("now"))
_CLOSE = update(cases).where(cases.c.id == bindparam("case"), _waiting)
_LOCK = select(products.c.id).where(products.c.id == bindparam("product")).with_for_update(key_share=True)
_MOVE = update(products).where(products.c.id == bindparam("product"), products.c.status == bindparam("was"))


# Rules look first


def look_at(product: Product) -> str:
    """May this listing be for sale at once? `LIVE`; or `REVIEW`, and then a moderator has it in the queue.

    422 for what is not for sale here at all. Ask it for what is put up, and again for what is changed while it is up;
    moving the product is the caller's. What a moderator has approved in it before, is not asked again.
    """
    found = _found(product)
    if no := [risk.words for risk in found if risk.gravity == Gravity.FORBIDDEN]:
        raise Refused(" ".join(no), 422)
    if why := case_reasons.anew(product.id, found):
        _wait(product.id, why)
        return ProductStatus.REVIEW
    withdraw(product.id)
    return ProductStatus.LIVE


def point_out(product: Product, why: list[dict[str, Any]]) -> bool:
    """Have a moderator look at what is for sale; nothing happens to it meanwhile.

    False where there is nothing new, and where it is not for sale any more: of what is down, no verdict ends a case.
    """
    alone(product)
    db.session.refresh(product, ["status"])  # somebody may have had it before us
    if product.status != ProductStatus.LIVE:
        return False
    if told := case_reasons.more(product.id, why):
        _wait(product.id, told)
    return bool(told)


def _found(product: Product) -> list[Risk]:
    has_mark = any(paper.kind == PaperKind.LICENCE for paper in papers.of(product.seller_id))
    return risks(product, has_mark=has_mark, prints=picture_prints.remember(product))


def _wait(product_id: int, why: list[dict[str, Any]]) -> None:
    """Open a case; where one waits already, it is about this from now on, and keeps its place."""
    facts = {"why": why, "word_list": word_list.version()}
    if connection().execute(_AGAIN.values(facts), {"product": product_id}).rowcount == 0:
        db.session.add(_new(product_id, **facts))
        db.session.flush()


def _new(product_id: int, **facts: Any) -> ListingCase:
    return ListingCase(code=secrets.token_urlsafe(16), product_id=product_id, opened_at=clock.now(), **facts)


def withdraw(product_id: int) -> None:
    """Its seller took it back, or changed what it was about: nobody has to look any more, but for what stays."""
    if stays := case_reasons.lasting(product_id):
        _wait(product_id, stays)
    else:
        run(_WITHDRAW, product=product_id, now=clock.now())


# Somebody looks


def called(code: str) -> ListingCase:
    """The case with this code, for the moderators' desk."""
    found = db.session.scalar(select(ListingCase).where(ListingCase.code == code))
    if found is None:
        raise NotFound(_("There is no such case."))
    return found


def product_of(case: ListingCase) -> Product:
    """What the case is about."""
    return db.session.get_one(Product, case.product_id)


def listed(code: str) -> Product:
    """Any product, whatever its state: for the moderators' desk."""
    found = db.session.scalar(select(Product).where(Product.code == code))
    if found is None:
        raise NotFound(_("We cannot find this product."))
    return found


def as_it_stands(product: Product) -> str:
    """A stamp of what a moderator sees of a listing: with other words, pictures or sizes it is another one."""
    variants = sorted(product.variants, key=lambda variant: (variant.position, variant.id))
    seen = (
        sorted(product.title.items()),
        sorted((product.description or {}).items()),
        product.category_id,
        sorted((product.specs or {}).items(), key=str),
        [(picture.name, sorted((picture.alt or {}).items())) for picture in product.pictures],
        [(sorted((one.name or {}).items()), one.size, sorted((one.color or {}).items())) for one in variants],
    )
    return sha256(repr(seen).encode()).hexdigest()[:16]


def is_for(product: Product, person: Actor) -> bool:
    """May this moderator decide about it? Not about their own goods."""
    return not marks.is_near(product.seller_id, person.id)


def alone(product: Product) -> None:
    """Who changes it at the same moment comes after us; and a product is locked before its variants."""
    rows(_LOCK, product=product.id)


def decide(case: ListingCase, verdict: str, *, by: Actor, reason: str, words: Words, seen: str) -> None:
    """Approve, ask for a change, or take down: once, with a reason, on what that moderator saw."""
    product = product_of(case)
    if not is_for(product, by):
        raise Refused(_("This is for another moderator to decide."), 403)
    if verdict not in BECOMES:
        raise Refused(_("Choose what to do with this listing."), 422)
    because = _told(reason, words) if verdict != CaseState.APPROVED else None
    db.session.flush()
    alone(product)
    db.session.expire_all()  # what its seller has just committed counts, its variants and pictures too
    if as_it_stands(product) != seen:
        raise Refused(_("This listing has just changed. Please look again."))
    told = {"state": verdict, "reason": reason, "words": words, "decided_by_id": by.id, "decided_at": clock.now()}
    if connection().execute(_CLOSE.values(told), {"case": case.id}).rowcount != 1:
        raise Refused(_("This was decided just now. Please look again."))
    db.session.refresh(case)
    was = product.status
    _move(product, was, _becomes(was, CaseState(verdict)))
    _write_down(product, case, by)
    if because:
        kind = Verdict.ASKED if verdict == CaseState.FIX else Verdict.TAKEN_DOWN
        since = case.opened_at
        statements.write(product.seller, kind, by=by, reason=because, words=words, product=product, sent_in=since)
    elif was == ProductStatus.REVIEW:
        _tell_approved(product, case)


def _becomes(was: str, verdict: CaseState) -> ProductStatus:
    """What was only pointed out while it was for sale, or paused, stays so when it is approved."""
    if was not in CAN_GO_DOWN:
        raise Refused(_("This has just changed. Please look again."))
    return ProductStatus(was) if verdict == CaseState.APPROVED and was != ProductStatus.REVIEW else BECOMES[verdict]


def take_down(product: Product, *, by: Actor, reason: str, words: Words) -> ListingCase:
    """Take a product off every page and out of every cart, at once. Its seller is told why and may appeal."""
    if not is_for(product, by):
        raise Refused(_("This is for another moderator to decide."), 403)
    because = _told(reason, words)
    if product.status not in CAN_GO_DOWN:
        raise Refused(_("This is not for sale, so there is nothing to take down."))
    alone(product)  # nobody opens a case after this that we do not withdraw
    run(_WITHDRAW, product=product.id, now=clock.now())
    told = {"state": CaseState.TAKEN_DOWN, "reason": reason, "words": words}
    case = _new(product.id, **told, decided_by_id=by.id, decided_at=clock.now())
    db.session.add(case)
    db.session.flush()
    _move(product, product.status, ProductStatus.DOWN)
    _write_down(product, case, by)
    statements.write(product.seller, Verdict.TAKEN_DOWN, by=by, reason=because, words=words, product=product)
    return case


@appeals.undoes(Verdict.TAKEN_DOWN)
def bring_back(seller: Seller, about: Statement, by: Actor, words: Words) -> bool:
    """An appeal was granted: the product is back, and its pictures are nobody's business any more.

    For sale it is only with all that is asked by now, and what a moderator has to look at, waits for that.
    """
    product = db.session.get(Product, about.product_id) if about.product_id else None
    if product is None or product.status != ProductStatus.DOWN:
        raise Refused(_("This is not taken down any more."))
    _move(product, ProductStatus.DOWN, _back_as(product))
    _note(product, by, words.said(""))
    reason = reasons.GOOD["we_were_wrong"]
    statements.write(seller, Verdict.RESTORED, by=by, reason=reason, words=words, product=product)
    after = {"status": str(product.status)}
    audit.note("listing restored", f"product:{product.code}", by=by, reason=words.said(""), after=after)
    return True


def _back_as(product: Product) -> str:
    """What a product comes back as: paused where it cannot be for sale as it is, or where its seller has no room."""
    if lacking(product) or not newcomers.has_room(product.seller_id):
        return ProductStatus.PAUSED
    try:
        return look_at(product)
    except Refused:
        return ProductStatus.PAUSED


def _told(reason: str, words: Words) -> Reason:
    return statements.told(reasons.of(reason, reasons.PRODUCTS), words)


def _move(product: Product, was: str, to: str) -> None:
    """Move the product along, once; what may not be for sale any more stays away from others' pictures too."""
    if was != to:
        moved = connection().execute(_MOVE.values(status=to), {"product": product.id, "was": was})
        if moved.rowcount != 1:
            raise Refused(_("This has just changed. Please look again."))
    if to == ProductStatus.LIVE:
        prices.put_up(product.id)
    picture_prints.ban(product.id, is_on=to == ProductStatus.DOWN)
    db.session.refresh(product)


def _write_down(product: Product, case: ListingCase, by: Actor) -> None:
    """The event, and the entry of the audit."""
    note = case.words.said("")
    _note(product, by, f"{case.reason}\n{note}".strip())
    after = {"state": str(case.state), "status": str(product.status), "reason": case.reason}
    audit.note("listing decided", f"product:{product.code}", by=by, reason=note, after=after)
    if case.state == CaseState.TAKEN_DOWN:
        bystanders.warn(case)


def _note(product: Product, by: Actor, note: str) -> None:
    step = {"subject": "product", "subject_id": product.id, "became": product.status, "user_id": by.id}
    db.session.add(Event(at=clock.now(), note=note[:1000], **step))
    db.session.flush()


def _tell_approved(product: Product, case: ListingCase) -> None:
    owner = product.seller.profile.user
    if owner is None:
        return
    jobs.later(
        notifications.mail,
        kind="listing",
        about=case.code,
        to=owner.email,
        template="listing",
        language=owner.language,
        name=owner.name,
        title=product.title.said(owner.language),
        product=product.code,
    )
