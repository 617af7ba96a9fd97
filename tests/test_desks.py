"""However much waits and however much is listed, the pages of moderators and sellers ask the database as often."""

from __future__ import annotations

from shop.models import Role
from tests.bench import desks


def test_the_desks_and_the_seller_centre_ask_as_often_for_three_times_as_much(app, signed_in_as, queries):
    def asked():
        with app.test_request_context(method="POST"):
            pages = desks.addresses()
        browsers = {who: signed_in_as(who, *roles) for who, roles in {"rex": (Role.MODERATOR,), "sells0": ()}.items()}
        for who, path in pages.values():
            with queries() as each:
                answer = browsers[who].get(path)
            assert answer.status_code == 200
            yield len(each)

    with app.test_request_context(method="POST"):
        desks.fill(range(44), range(80))
    few = list(asked())
    with app.test_request_context(method="POST"):
        desks.fill(range(44, 132), range(80, 240))
    many = list(asked())
    assert few == many
    assert dict(zip(desks.GOALS, many, strict=True)) == {name: goal.questions for name, goal in desks.GOALS.items()}
