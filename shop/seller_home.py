"""A seller's home: what has to be done, and how the shop is doing. So many questions to the database, however large."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    union_all,
)

from shop import clock, gateways, newcomers, packing, payouts, statements
from shop.database import among, rows, rows_and_more
from shop.delivery import AMSTERDAM, begin_of
from shop.errors import NotFound
from shop.i18n import _
from shop.models import (
    Account,
    BankAccount,
    BankState,
    Moment,
    Order,
    OrderStatus,
    Paper,
    PaperState,
    PayoutAccount,
    Picture,
    Product,
    ProductStatus,
    Profile,
    Question,
    QuestionState,
    Seller,
    Statement,
    TaxNumber,
    Variant,
    Vetting,
)
from shop.question_mails import may_be_answered

DAYS = 30
TO_DO = (ProductStatus.DOWN, ProductStatus.DRAFT, ProductStatus.REVIEW)  # of these its seller is told
BEST = 5
PAGE = 30
SELLING = 500  # products whose stock is watched: those that sell best
FEW: ColumnElement[int] = literal_column(
    "5"
)  # left of a variant: it runs out; as the index says it, which a parameter would not
FRESH = timedelta(days=30)  # a decision that takes something away is told so long
RUNS_OUT = timedelta(days=30)  # before a paper does, its owner is reminded

sellers, profiles, sold = Seller.__table__, Profile.__table__, Order.__table__
products, variants, pictures = Product.__table__, Variant.__table__, Picture.__table__
accounts, papers, banks = PayoutAccount.__table__, Paper.__table__, BankAccount.__table__
told, taxes, questions = Statement.__table__, TaxNumber.__table__, Question.__table__

_SEALED = and_(papers.c.seller_id == sellers.c.id, papers.c.state == PaperState.SEALED)
_IN_USE = among(banks.c.state, (BankState.CURRENT, BankState.WAITING))
_SHOP = (
    select(
        *sellers.c["id", "vetting", "established_at", "tax_stopped_at"],
        *profiles.c["handle", "name"],
        accounts.c.state.label("payouts"),
        select(func.min(papers.c.valid_until)).where(_SEALED).correlate(sellers).scalar_subquery().label("valid_until"),
        select(func.max(banks.c.frozen_until))
        .where(banks.c.seller_id == sellers.c.id, _IN_USE)
        .correlate(sellers)
        .scalar_subquery()
        .label("frozen_until"),
        select(func.count())
        .where(banks.c.seller_id == sellers.c.id, banks.c.state == BankState.WAITING)
        .correlate(sellers)
        .scalar_subquery()
        .label("banks_waiting"),
        select(func.count())
        .where(taxes.c.seller_id == sellers.c.id)
        .correlate(sellers)
        .scalar_subquery()
        .label("tax_details"),
        case((newcomers.is_new, newcomers.delivered)).label("delivered"),
        newcomers.under_way.label("under_way"),
    )
    .join(profiles, profiles.c.id == sellers.c.profile_id)
    .outerjoin(accounts, and_(accounts.c.profile_id == profiles.c.id, accounts.c.gateway == bindparam("gateway")))
    .where(
        profiles.c.user_id == bindparam("person"),
        among(sellers.c.vetting, (Vetting.APPROVED, Vetting.SUSPENDED)),
    )
)
_OF_SHOP = products.c.seller_id == bindparam("seller")
_IS_FEW = (variants.c.is_offered, variants.c.stock - variants.c.held <= FEW)
_IS_LOW = and_(variants.c.product_id == products.c.id, *_IS_FEW)
# Each of them is looked up among the variants, so it ends with those that sell best, however many there are.
_SELLING = (
    select(*products.c["id", "code"])
    .where(_OF_SHOP, products.c.status == ProductStatus.LIVE, products.c.sold > 0)
    .order_by(products.c.sold.desc(), products.c.code.desc())
    .limit(literal_column(str(SELLING)))
    .subquery("selling")
)
_RUNNING = (
    select(
        *_SELLING.c["id", "code"],
        func.max(case((variants.c.stock - variants.c.held <= 0, 1), else_=0)).label("is_out"),
    )
    .select_from(_SELLING)
    .join(variants, and_(variants.c.product_id == _SELLING.c.id, *_IS_FEW))
    .group_by(*_SELLING.c["id", "code"])
    .subquery("running")
)
_SHORT = (
    select(
        *products.c["code", "title"],
        variants.c.name,
        (variants.c.stock - variants.c.held).label("left"),
    )
    .select_from(_RUNNING)
    .join(products, products.c.id == _RUNNING.c.id)
    .join(variants, _IS_LOW)
    .where(
        products.c.id.in_(
            select(_RUNNING.c.id)
            .where(_RUNNING.c.is_out == bindparam("is_out"), _RUNNING.c.code > bindparam("after"))
            .order_by(_RUNNING.c.code)
            .limit(PAGE + 1)
        )
    )
    .order_by(products.c.code, variants.c.position)
)
_none = cast(null(), Moment)
_WAITING = (sold.c.seller_id == bindparam("seller"), among(sold.c.status, packing.TO_PACK))
_COUNTED = union_all(
    select(literal("to_pack").label("what"), func.count().label("n"), func.min(sold.c.send_until).label("at")).where(
        *_WAITING
    ),
    select(literal("late"), func.count(), func.min(sold.c.send_until)).where(
        *_WAITING, sold.c.send_until < bindparam("today", type_=sold.c.send_until.type)
    ),
    select(
        case((_RUNNING.c.is_out == 1, literal("sold_out")), else_=literal("running_out")), func.count(), _none
    ).group_by(_RUNNING.c.is_out),
    select(literal("statements"), func.count(), func.max(told.c.at)).where(
        told.c.seller_id == bindparam("seller"),
        among(told.c.verdict, statements.TAKES_AWAY),
        told.c.at > bindparam("since", type_=told.c.at.type),
    ),
    select(literal("questions"), func.count(), func.min(questions.c.since)).where(
        questions.c.seller_id == bindparam("seller"), questions.c.state == QuestionState.OPEN, may_be_answered
    ),
    select(literal("product:lacks"), func.count(), _none).where(_OF_SHOP, products.c.is_complete.is_(False)),
    # Of what is for sale or paused there may be a hundred thousand, and nothing of it has to be done. One by one: to
    # sort thousands into groups takes longer than to count them.
    *(
        select(literal(f"product:{status}"), func.count(), _none).where(_OF_SHOP, products.c.status == status)
        for status in TO_DO
    ),
)
_PAID = (sold.c.seller_id == bindparam("seller"), sold.c.status != OrderStatus.CANCELLED)


def _day(n: int) -> Any:
    """What was sold on one day, read from the index; nobody's clock but ours says where a day begins."""
    begins, ends = (bindparam(f"day{m}", type_=sold.c.paid_at.type) for m in (n, n + 1))
    return select(
        literal(n).label("n"), func.count().label("orders"), func.sum(sold.c.goods_minor).label("minor")
    ).where(*_PAID, sold.c.paid_at >= begins, sold.c.paid_at < ends)


_SALES = union_all(*map(_day, range(DAYS)))
_BEST = (
    select(*products.c["code", "title", "sold"], func.coalesce(pictures.c.name_216, pictures.c.name).label("picture"))
    .select_from(products)
    .outerjoin(pictures, and_(pictures.c.product_id == products.c.id, pictures.c.position == 0))
    .where(_OF_SHOP, products.c.status == ProductStatus.LIVE, products.c.sold > 0)
    .order_by(products.c.sold.desc(), products.c.code.desc())
    .limit(BEST)
)


class Day(NamedTuple):
    """What was sold on a day: so many orders, and what their goods cost in minor units."""

    day: date
    orders: int
    minor: int


class Count(NamedTuple):
    """So many of something that waits, and the first moment that matters about them."""

    n: int
    at: datetime | None


class Home(NamedTuple):
    """A shop as its owner finds it in the morning."""

    shop: Row[Any]
    counts: Mapping[str, Count]
    days: list[Day]
    best: list[Row[Any]]
    payable: int  # minor units that may leave now, and that wait
    on_hold: int

    def counted(self, what: str) -> Count:
        """How many of these there are."""
        return self.counts.get(what, Count(0, None))

    @property
    def is_new(self) -> bool:
        """Do the limits for newcomers hold?"""
        return self.shop.established_at is None

    @property
    def paper_until(self) -> date | None:
        """The day on which the first of their papers runs out, or ran out, where that is soon."""
        until: date | None = self.shop.valid_until
        return until if until and until <= clock.now().astimezone(AMSTERDAM).date() + RUNS_OUT else None

    @property
    def frozen_until(self) -> datetime | None:
        """Until when nothing is paid out because the bank account was changed."""
        frozen: datetime | None = self.shop.frozen_until
        return frozen if frozen and frozen > clock.now() else None


def of(person: int) -> Home:
    """The home of who sells, or whose sales were stopped; `NotFound` for others. Five questions."""
    found = rows_and_more(_SHOP, person=person, gateway=gateways.payment().name)
    if not found:
        raise NotFound(_("There is nothing here: you do not sell at Etalage."))
    shop = found[0]
    return Home(
        shop,
        _counted(shop.id),
        _sales(shop.id),
        list(rows(_BEST, seller=shop.id)),
        *payouts.coming(Account.SELLER, shop.id),
    )


def short(seller: int, *, is_out: bool, after: str = "") -> tuple[list[list[Row[Any]]], str]:
    """What is counted as sold out, or as running out: product by product the kinds of which few or none are left.

    With the code after which it goes on; empty where it ends.
    """
    found = rows(_SHORT, seller=seller, is_out=int(is_out), after=after)
    each = [list(kinds) for _code, kinds in groupby(found, lambda row: row.code)]
    return each[:PAGE], each[PAGE - 1][0].code if len(each) > PAGE else ""


def _counted(seller: int) -> dict[str, Count]:
    known = {"today": packing.today(), "since": clock.now() - FRESH}
    return {row.what: Count(int(row.n), row.at) for row in rows(_COUNTED, seller=seller, **known)}


def _sales(seller: int) -> list[Day]:
    """The last thirty days in Amsterdam, the oldest first, today with what there is by now."""
    last = clock.now().astimezone(AMSTERDAM).date()
    days = [last - timedelta(days=DAYS - 1 - n) for n in range(DAYS + 1)]
    begins = {f"day{n}": begin_of(day) for n, day in enumerate(days)}
    found = {row.n: row for row in rows(_SALES, seller=seller, **begins)}
    return [Day(days[n], int(found[n].orders), int(found[n].minor or 0)) for n in range(DAYS)]
