"""Where a list goes on after a place, that place may be anything: it is a page, or there is none; never a fault."""

import pytest

from shop import accounts
from shop.database import db
from shop.models import Profile, Role
from tests.cast import a_profile

# Every route with a list that goes on: its address, what the place is called, and who may look.
CURSORS = [
    ("/shop", "after", ()),
    ("/shop?sort=newest", "after", ()),
    ("/shop?sort=cheapest", "after", ()),
    ("/@mina", "after", ()),
    ("/@mina/clips", "after", ()),
    ("/moderation", "after", (Role.MODERATOR,)),
    ("/moderation/sellers", "after", (Role.MODERATOR,)),
    ("/moderation/appeals", "after", (Role.MODERATOR,)),
    ("/moderation/products", "after", (Role.MODERATOR,)),
    ("/seller/orders", "after", ("mina",)),
    ("/seller/orders?show=late", "after", ("mina",)),
    ("/seller/orders?show=sent", "after", ("mina",)),
    ("/seller/questions", "after", ("mina",)),
    ("/seller/questions?show=answered", "after", ("mina",)),
    *(("/moderation/money", name, (Role.ADMIN,)) for name in ("differences", "calls", "attempts", "jobs")),
    ("/p/mug/questions", "after", ()),
    ("/account/questions", "before", ("mina",)),
    ("/seller/payouts", "before", ("mina",)),
    ("/studio/earnings", "before", (Role.CREATOR,)),
]
PLACES = {
    "nothing": "",
    "junk": "zz-%22%3Cscript%3E",
    "NUL": "1-mug%00",
    "no text": "%ff%fe",
    "below zero": "-1",
    "far below zero": "-99999999999999999999",
    "huge": "9" * 19,
    "huger": "9" * 400,
    "of another order": "2450-mug",
    "no such thing": "7-somebody",
    "a place of somebody else": "mina",
    "other digits": "%D9%A3",
    "a fraction": "1.5e300-x",
    "no number": "nan-x",
    "no end": "inf-x",
    "a moment that never was": "9999999999999999.99999999999999999999",
    "long ago": "-99999999999.5-1",
    "far ahead": "253402300800-99999999999999999999",
}


@pytest.fixture
def looking(app, mug, signed_in_as):
    def sign_in(who):
        if who == ():
            return app.test_client()
        if who != ("mina",):
            client = signed_in_as("rex", *who)
            with app.test_request_context(method="POST"):
                rex = accounts.called("rex@example.com")
                if Role.CREATOR in who:
                    db.session.add(a_profile("rex", "Rex", user_id=rex.id))
                db.session.commit()
            return client
        client = signed_in_as("mina", Role.SELLER)
        with app.test_request_context(method="POST"):
            db.session.query(Profile).filter_by(handle="mina").one().user_id = accounts.called("mina@example.com").id
            db.session.commit()
        return client

    return sign_in


@pytest.mark.parametrize(("address", "name", "who"), CURSORS, ids=str)
def test_a_list_goes_on_after_anything_or_is_not_there(looking, address, name, who):
    client = looking(who)
    assert client.get(address).status_code == 200
    ends = {
        place: client.get(f"{address}{'&' if '?' in address else '?'}{name}={value}").status_code
        for place, value in PLACES.items()
    }
    assert ends.pop("NUL") == 400  # refused at the door, in words
    assert {place: end for place, end in ends.items() if end not in (200, 404)} == {}
