"""The sandbox's payments: how one starts, what becomes of it at the bank or by itself, and the page that is hosted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from shop import clock
from shop.gateways import sandbox_disputes
from shop.gateways.payment_port import RejectedError
from shop.gateways.sandbox_books import fee_of, moved
from shop.gateways.sandbox_memory import Memory, Thing, named, stamp

BANK_WAITS = timedelta(minutes=15)  # for an answer on its page
PAGE_WAITS = timedelta(minutes=30)
SLOW = timedelta(seconds=20)  # from "processing" to the result


class Course(NamedTuple):
    """What becomes of a payment: its first status, why it failed, and what it turns into by itself after a while."""

    status: str
    failure: str = ""
    later: str = ""
    after: timedelta = timedelta()
    next_time: str = "card"  # the course of a payment with this card, once it is kept


_AT_THE_BANK = Course("requires_action", later="expired", after=BANK_WAITS)
COURSES = {
    "ideal": _AT_THE_BANK,
    "bancontact": _AT_THE_BANK,
    "card": Course("succeeded"),
    "card_declined": Course("requires_payment_method", failure="card_declined"),
    "insufficient_funds": Course("requires_payment_method", failure="insufficient_funds"),
    "authentication_required": _AT_THE_BANK,
    "slow_success": Course("processing", later="approved", after=SLOW),
    "slow_failure": Course("processing", later="failed", after=SLOW),
    "then_declined": Course("succeeded", next_time="card_declined"),
    "then_asked": Course("succeeded", next_time="authentication_required"),
    "disputed": Course("succeeded"),  # and at once the buyer's bank wants it back
    "refund_fails": Course("succeeded"),  # what is given back does not arrive
    "refund_slow": Course("succeeded"),  # what is given back takes a while
}
# How a payment ends that was waiting: its status, and the reason when it did not work.
ENDS = {
    "approved": ("succeeded", ""),
    "failed": ("requires_payment_method", "card_declined"),
    "cancelled": ("canceled", "abandoned"),
    "expired": ("requires_payment_method", "payment_intent_payment_attempt_expired"),
}
KINDS = {
    "succeeded": "payment_intent.succeeded",
    "processing": "payment_intent.processing",
    "requires_action": "payment_intent.requires_action",
    "requires_payment_method": "payment_intent.payment_failed",
    "canceled": "payment_intent.canceled",
}


class Wish(NamedTuple):
    """A payment as it is asked for: so much, by that course or with a kept card, and what has to come back with it."""

    amount: int
    currency: str
    course: str
    back: str  # where the buyer goes after the bank's page
    metadata: Thing
    group: str = ""
    customer: str = ""
    method: str = ""  # a card that was kept
    keeps: bool = False


def start(memory: Memory, wish: Wish) -> Thing:
    """A payment, as far as it goes by itself."""
    _check_customer(memory, wish.customer)
    method = _method(memory, wish)
    course = COURSES[method["course"]]
    code = named("pi")
    intent: dict[str, Any] = {
        "id": code,
        "object": "payment_intent",
        "amount": wish.amount,
        "currency": wish.currency,
        "customer": wish.customer or None,
        "created": stamp(),
        "livemode": False,
        "status": "requires_confirmation",
        "metadata": wish.metadata,
        "transfer_group": wish.group or None,
        "payment_method": method,
        "keeps": wish.keeps,
        "next_action": None,
        "last_payment_error": None,
        "latest_charge": None,
        "return_path": wish.back,
        "becomes": course.later,
    }
    if course.status == "requires_action":
        url = {"url": f"/sandbox/bank/{code}", "return_url": wish.back}
        intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": url}
    memory.put(code, "payment", intent, clock.now() + course.after if course.later else None)
    return _become(memory, intent, course.status, course.failure)


def _check_customer(memory: Memory, customer: str) -> None:
    """One that the sandbox named has to be known; before it named them, the shop's own name of a person would do."""
    if customer.startswith("sbx_") and memory.look(customer, "customer") is None:
        raise RejectedError("resource_missing")


def _method(memory: Memory, wish: Wish) -> Thing:
    """The kept card that is used, or the new one, which is kept when the payment works."""
    if wish.method:
        found = memory.need(wish.method, "method")
        if not found["customer"] or found["customer"] != wish.customer:
            raise RejectedError("resource_missing")
        return {**found, "course": found["next_time"]}
    if wish.course not in COURSES:
        raise RejectedError("payment_method_unknown")
    method: Thing = {"id": named("pm"), "object": "payment_method", "customer": None, "course": wish.course}
    if wish.course in ("ideal", "bancontact"):
        return {**method, "type": wish.course, wish.course: {}}
    next_time = COURSES[wish.course].next_time
    return {**method, "type": "card", "card": {"brand": "visa", "last4": "4242"}, "next_time": next_time}


def _become(memory: Memory, intent: Thing, status: str, failure: str = "") -> Thing:
    """Move a payment to a status, and let an event tell of it."""
    intent = {**intent, "status": status}
    if status == "canceled":
        intent["cancellation_reason"] = failure
    elif failure:
        intent["last_payment_error"] = why(failure)
    if status == "succeeded":
        intent |= {"payment_method": _kept(memory, intent), "latest_charge": _charge(memory, intent)}
    if status != "requires_action":
        intent["next_action"] = None
    memory.change(intent["id"], body=intent)
    memory.tell(KINDS[status], intent)
    if status == "succeeded" and intent["payment_method"]["course"] == "disputed":
        intent = sandbox_disputes.open_dispute(memory, intent)
    return intent


def why(failure: str) -> Thing:
    """A failure as Stripe tells it."""
    if failure in ("card_declined", "insufficient_funds"):
        decline = "generic_decline" if failure == "card_declined" else failure
        return {"type": "card_error", "code": "card_declined", "decline_code": decline}
    return {"type": "invalid_request_error", "code": failure}


def _kept(memory: Memory, intent: Thing) -> Thing:
    """The method that paid; a card is kept for its customer when that was asked for."""
    method: Thing = intent["payment_method"]
    if not (intent["keeps"] and intent["customer"] and method["type"] == "card" and not method["customer"]):
        return method
    method = {**method, "customer": intent["customer"]}
    memory.put(method["id"], "method", method)
    return method


def _charge(memory: Memory, intent: Thing) -> Thing:
    charge = {
        "id": intent["id"].replace("_pi_", "_ch_"),
        "object": "charge",
        "payment_intent": intent["id"],
        "status": "succeeded",
        "paid": True,
        "amount": intent["amount"],
        "amount_refunded": 0,
        "refunded": False,
        "disputed": False,
        "currency": intent["currency"],
        "created": stamp(),
        "livemode": False,
        "customer": intent["customer"],
        "transfer_group": intent["transfer_group"],
        "metadata": intent["metadata"],
    }
    movement = moved(memory, "charge", charge, intent["amount"], fee_of(intent["amount"]))
    return {**charge, "balance_transaction": movement}


def finish(memory: Memory, intent: Thing, end: str) -> Thing:
    """End a payment that was waiting."""
    status, failure = ENDS[end]
    memory.change(intent["id"], due_at=None)
    return _become(memory, intent, status, failure)


def ripe(memory: Memory, intent: Thing) -> Thing:
    """The payment, after what had to happen to it by now."""
    is_waiting = intent["status"] in ("requires_action", "processing")
    if not is_waiting or not intent["becomes"] or not memory.is_due(intent["id"]):
        return intent
    return finish(memory, intent, intent["becomes"])


# A page where the buyer chooses how to pay


def open_page(memory: Memory, wish: Wish) -> Thing:
    """A page that waits for a buyer; the payment is made when they pay there."""
    _check_customer(memory, wish.customer)
    code = named("cs")
    page: Thing = {
        "id": code,
        "object": "checkout.session",
        "mode": "payment",
        "status": "open",
        "payment_status": "unpaid",
        "payment_intent": None,
        "amount_total": wish.amount,
        "currency": wish.currency,
        "created": stamp(),
        "livemode": False,
        "metadata": wish.metadata,
        "url": f"/sandbox/bank/{code}",
        "return_path": wish.back,
        "wish": list(wish),
    }
    memory.put(code, "page", page, clock.now() + PAGE_WAITS)
    return page


def answer_page(memory: Memory, page: Thing, end: str) -> Thing:
    """What the buyer does there. Who turns back, or whose card is declined, may try again until the page closes."""
    if end == "expired":
        return close_page(memory, page)
    if end == "cancelled":
        return page
    wish = Wish(*page["wish"])
    intent = start(memory, wish._replace(course="card" if end == "approved" else "card_declined"))
    if intent["status"] != "succeeded":
        return page
    page |= {"status": "complete", "payment_status": "paid", "payment_intent": intent["id"], "url": None}
    memory.change(page["id"], body=page, due_at=None)
    memory.tell("checkout.session.completed", page)
    return page


def close_page(memory: Memory, page: Thing) -> Thing:
    """Nobody paid on it, and nobody will."""
    page = {**page, "status": "expired", "url": None}
    memory.change(page["id"], body=page, due_at=None)
    memory.tell("checkout.session.expired", page)
    return page


def ripe_page(memory: Memory, page: Thing) -> Thing:
    """The page, closed if its time is over."""
    return close_page(memory, page) if page["status"] == "open" and memory.is_due(page["id"]) else page
