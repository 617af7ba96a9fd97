"""Money of an order goes back: by staff, by its seller, at the desk and from the shell; by nobody else."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from shop import accounts, audit, clock, refund_desk, refunds
from shop.database import db
from shop.models import AuditEntry, Order, Profile, Refund, RefundState, Role, RoleGrant
from tests.bookkeeping import bought
from tests.conftest import HTMX
from tests.routes.conftest import there


@pytest.fixture
def code(app, mug):
    """Noor's order of two small mugs: 49.00 and 3.95."""
    with app.test_request_context(method="POST"):
        _purchase, order = bought({mug.small: 2})
        return db.session.get(Order, order).code


@pytest.fixture
def refunded(app):
    def look():
        with app.test_request_context(method="POST"):
            return [(row.amount.minor, row.reason) for row in db.session.query(Refund).order_by(Refund.id)]

    return look


@pytest.fixture
def rex(signed_in_as):
    return signed_in_as("rex", Role.MODERATOR)


@pytest.fixture
def mina(app, mug, signed_in_as):
    client = signed_in_as("mina", Role.SELLER)
    with app.test_request_context(method="POST"):
        user = accounts.called("mina@example.com")
        db.session.query(Profile).filter_by(handle="mina").one().user_id = user.id
        db.session.commit()
    return client


FORM = {"how": "amount", "amount": "12,50", "reason": "goodwill"}


def send(client, address, htmx=False, **fields):
    return client.post(address, data={**FORM, **fields}, headers=HTMX if htmx else {})


def test_staff_find_an_order_by_its_code_its_number_and_its_purchases_code(app, rex, code):
    with app.test_request_context():
        purchase = db.session.query(Order).one().purchase.code
    for typed in (code, code[:8], purchase, f" {code} "):
        assert rex.get("/moderation/orders", query_string={"code": typed}).location == f"/moderation/orders/{code}"


def test_an_order_that_is_not_there_is_said_beside_the_field_which_keeps_what_was_typed(rex, code):
    answer = rex.get("/moderation/orders?code=zz%22z")
    assert (answer.status_code, 'value="zz&#34;z"' in answer.text, answer.text.count("field__errors")) == (404, True, 1)
    assert "Every refund has arrived" in answer.text


@pytest.mark.parametrize("address", ["/moderation/orders", "/seller/payouts"])
def test_where_money_is_talked_about_stands_that_none_moves(rex, mina, address):
    asks = rex if address.startswith("/moderation") else mina
    assert "TEST MODE" in asks.get(address).text


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [({"amount": "a lot"}, 'name="amount"'), ({"how": "lines"}, 'value="all"'), ({"how": ""}, 'value="all"')],
)
def test_what_is_refused_is_said_in_the_form_and_has_the_focus(rex, code, fields, wrong):
    answer = send(rex, f"/moderation/orders/{code}/refunds", htmx=True, **fields)
    assert (answer.status_code, answer.text.count("field__errors"), answer.text.count("notice--wrong")) == (422, 1, 0)
    assert [wrong in tag for tag in re.findall(r"<[^>]* autofocus[^>]*>", answer.text)] == [True]


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    ("fields", "given"),
    [
        ({}, (1250, "goodwill")),
        ({"amount": "12.50", "reason": "returned"}, (1250, "returned")),
        ({"amount": "3"}, (300, "goodwill")),
        ({"how": "all", "amount": "", "reason": "cancelled"}, (5295, "cancelled")),
        ({"how": "lines", "quantity-0": "1"}, (2450, "goodwill")),
    ],
)
def test_staff_give_back(rex, code, refunded, fields, given, htmx):
    there(send(rex, f"/moderation/orders/{code}/refunds", htmx, **fields), htmx)
    assert refunded() == [given]
    page = rex.get(f"/moderation/orders/{code}").text
    assert "Given back of this purchase" in page


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    "fields",
    [
        {"amount": amount}
        for amount in ("", "0", "-1", "1e9", "NaN", "inf", "52.96", "12.505", "1.234", "10**9", "٣", "9" * 12)
    ]
    + [{"how": "lines", "quantity-0": n} for n in ("", "0", "3", "-1", "1e9", "1.5")]
    + [{"how": "steal"}, {"how": ""}, {"reason": "because"}, {"amount": "1" * 13}],
)
def test_what_cannot_be_given_back_is_said_and_nothing_goes(rex, code, refunded, fields, htmx):
    answer = send(rex, f"/moderation/orders/{code}/refunds", htmx, **fields)
    assert (answer.status_code, refunded()) == (422, [])
    assert 'id="order-money"' in answer.text
    assert ("<html" in answer.text) is not htmx


@pytest.mark.parametrize("htmx", [False, True])
def test_a_seller_gives_back_their_own_and_nobody_elses(app, mina, code, refunded, signed_in_as, lamp, htmx):
    page = mina.get(f"/seller/orders/{code[:8]}/money").text
    assert "€52.95 of this order can still go back" in page
    there(send(mina, f"/seller/orders/{code[:8]}/money/refunds", htmx), htmx)
    assert refunded() == [(1250, "goodwill")]
    lars = signed_in_as("lars", Role.SELLER)
    with app.test_request_context(method="POST"):
        user = accounts.called("lars@example.com")
        db.session.query(Profile).filter_by(handle="lars").one().user_id = user.id
        db.session.commit()
    assert lars.get(f"/seller/orders/{code[:8]}/money").status_code == 404
    assert mina.get(f"/seller/orders/{code}/money").status_code == 404  # its own key is the buyer's alone
    assert code not in mina.get(f"/seller/orders/{code[:8]}/money").text
    assert send(lars, f"/seller/orders/{code[:8]}/money/refunds", htmx).status_code == 404
    assert len(refunded()) == 1


@pytest.mark.parametrize("htmx", [False, True])
def test_a_seller_proves_who_they_are_before_they_give_back_and_the_form_says_so(mina, code, refunded, pass_time, htmx):
    home = f"/seller/orders/{code[:8]}/money"
    assert "Say who I am" not in mina.get(home).text
    pass_time(minutes=16)
    assert f'href="/sign-in/proof?next={home}"' in mina.get(home).text
    assert there(send(mina, f"{home}/refunds", htmx), htmx).startswith("/sign-in/proof")
    assert refunded() == []


def change(app, code, **facts):
    with app.test_request_context(method="POST"):
        purchase = db.session.query(Order).filter_by(code=code).one().purchase
        for name, value in facts.items():
            setattr(purchase, name, value)
        db.session.commit()


def called(app, name):
    with app.test_request_context():
        return accounts.called(f"{name}@example.com").id


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("bought_as", ["with an account", "as a guest"])
def test_staff_give_nothing_back_of_what_they_bought_themselves(app, rex, code, refunded, bought_as, htmx):
    as_guest = bought_as == "as a guest"
    change(app, code, **({"email": "Rex@Example.com"} if as_guest else {"user_id": called(app, "rex")}))
    answer = send(rex, f"/moderation/orders/{code}/refunds", htmx)
    assert (answer.status_code, "This order is your own." in answer.text) == (403, True)
    assert refunded() == []


def test_staff_who_sell_give_back_of_their_own_orders_as_sellers_and_not_as_staff(app, mina, code, refunded):
    user = called(app, "mina")
    with app.test_request_context(method="POST"):
        db.session.add(RoleGrant(user_id=user, role=Role.MODERATOR, granted_at=clock.now()))
        db.session.commit()
    assert send(mina, f"/moderation/orders/{code}/refunds").status_code == 403
    assert refunded() == []
    assert send(mina, f"/seller/orders/{code[:8]}/money/refunds").status_code == 303
    assert refunded() == [(1250, "goodwill")]


def test_a_moderator_gives_back_so_much_of_one_order_and_an_admin_more(rex, code, refunded, signed_in_as, monkeypatch):
    assert refund_desk.MOST == 50_000
    monkeypatch.setattr(refund_desk, "MOST", 2000)
    assert send(rex, f"/moderation/orders/{code}/refunds").status_code == 303
    answer = send(rex, f"/moderation/orders/{code}/refunds")
    assert (answer.status_code, "More than €20.00 of one order" in answer.text) == (403, True)
    assert refunded() == [(1250, "goodwill")]
    ada = signed_in_as("ada", Role.ADMIN)
    assert send(ada, f"/moderation/orders/{code}/refunds", amount="40.45").status_code == 303
    assert refunded() == [(1250, "goodwill"), (4045, "goodwill")]


def test_a_seller_sees_what_went_back_of_their_own_order_and_not_of_anothers(app, mina, mug, lamp):
    with app.test_request_context(method="POST"):
        purchase, _order = bought({mug.small: 1, lamp.oak: 1})
        both = db.session.query(Order).filter_by(purchase_id=purchase).all()
        ours, theirs = sorted(both, key=lambda order: order.seller_id == lamp.seller)
        for order, minor in ((ours, 111), (theirs, 222)):
            refunds.give(order.id, minor)
        db.session.commit()
        number = ours.code[:8]
    page = mina.get(f"/seller/orders/{number}/money").text
    assert ("€1.11" in page, "€2.22" in page, "Given back of this order" in page) == (True, False, True)


def test_an_order_is_found_by_its_code(rex, code):
    answer = rex.get("/moderation/orders", query_string={"code": f" {code} "})
    assert (answer.status_code, answer.location) == (302, f"/moderation/orders/{code}")
    assert rex.get("/moderation/orders?code=nothing").status_code == 404
    assert rex.get("/moderation/orders/nothing").status_code == 404
    assert "Every refund has arrived" in rex.get("/moderation/orders").text


@pytest.mark.parametrize("htmx", [False, True])
def test_a_refund_that_failed_is_on_the_list_and_sent_again(app, rex, code, htmx):
    send(rex, f"/moderation/orders/{code}/refunds")
    with app.test_request_context(method="POST"):
        refund = db.session.query(Refund).one()
        refund.state, public = RefundState.FAILED, refund.code
        db.session.commit()
    assert "€12.50" in rex.get("/moderation/orders").text
    headers = HTMX if htmx else {}
    assert there(rex.post(f"/moderation/refunds/{public}/again", headers=headers), htmx) == "/moderation/orders"
    assert rex.post(f"/moderation/refunds/{public}/again", headers=headers).status_code == 409
    assert rex.post("/moderation/refunds/nothing/again", headers=headers).status_code == 404
    with app.test_request_context(method="POST"):
        assert db.session.query(Refund).one().tries == 2


@pytest.mark.parametrize("htmx", [False, True])
def test_money_moves_by_staff_only_shortly_after_a_proof(app, rex, code, refunded, pass_time, htmx):
    address = f"/moderation/orders/{code}"
    assert "/sign-in/proof" not in rex.get(address).text
    pass_time(minutes=16)
    assert f'href="/sign-in/proof?next={address}"' in rex.get(address).text
    for form in (f"{address}/refunds", "/moderation/refunds/nothing/again"):
        assert there(send(rex, form, htmx), htmx).startswith("/sign-in/proof")
    assert refunded() == []


def test_what_staff_gives_back_is_in_the_audit_and_what_a_seller_gives_is_not(app, rex, mina, code):
    send(mina, f"/seller/orders/{code[:8]}/money/refunds", amount="1")
    send(rex, f"/moderation/orders/{code}/refunds")
    with app.test_request_context(method="POST"):
        refund = db.session.query(Refund).order_by(Refund.id.desc()).first()
        refund.state, public = RefundState.FAILED, refund.code
        db.session.commit()
    rex.post(f"/moderation/refunds/{public}/again")
    with app.app_context():
        told = [*audit.about(f"order:{code[:8]}"), *audit.about(f"refund:{public}")]
        assert [(one.role, one.action, one.reason, one.after) for one in told] == [
            ("moderator", "refund given", "goodwill", {"refund": public, "amount": "EUR 1250"}),
            ("moderator", "refund sent again", "", {}),
        ]


def test_the_desk_asks_as_much_for_one_line_as_for_two(app, rex, code, mug, queries):
    with app.test_request_context(method="POST"):
        other = db.session.get(Order, bought({mug.small: 1, mug.large: 1})[1]).code
    counts = []
    for each in (code, other):
        with queries() as asked:
            rex.get(f"/moderation/orders/{each}")
        counts.append(len(asked))
    assert counts == [10, 10]


def test_the_buyer_sees_where_the_money_went(client, rex, code):
    page = client.get(f"/orders/{code}").text
    went = page[page.index("Where your money went") :]
    assert [words for words in ("Commission of Etalage", "€2.02", "€0.43") if words not in went] == []
    send(rex, f"/moderation/orders/{code}/refunds", how="all")
    after = client.get(f"/orders/{code}").text
    assert "Given back" in after[after.index("Where your money went") :]


def test_the_shell_gives_back_too(app, code, refunded):
    run = app.test_cli_runner().invoke
    assert run(args=["refund", code, "12.50", "--reason", "returned"]).exit_code == 0
    assert run(args=["refund", code, "--line", "mug-s=1"]).exit_code == 0
    assert refunded() == [(1250, "returned"), (2450, "goodwill")]
    for wrong in (
        [code, "99"],
        ["nothing"],
        ["-nothing-that-begins-with-a-dash"],
        [code, "--line", "mug-s=x"],
        [code, "--line", "lamp=1"],
        [code, "--line", "mug-s"],
    ):
        answer = run(args=["refund", *wrong])
        assert (answer.exit_code, answer.output.startswith("Error:")) == (1, True), wrong
    assert len(refunded()) == 2
    assert run(args=["refund", code]).exit_code == 0
    assert refunded()[-1] == (5295 - 1250 - 2450, "goodwill")


def test_an_amount_is_read_as_it_is_typed():
    assert [refund_desk.minor_of(typed) for typed in ("12,50", "12.50", " 7 ", "0.01")] == [1250, 1250, 700, 1]


# A form that is sent twice

TOKEN = "t" * 22


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("who", ["staff", "seller"])
def test_a_form_that_is_sent_twice_is_one_refund(request, app, code, refunded, who, htmx):
    asks = request.getfixturevalue("rex" if who == "staff" else "mina")
    home = f"/moderation/orders/{code}" if who == "staff" else f"/seller/orders/{code[:8]}/money"
    answers = [send(asks, f"{home}/refunds", htmx=htmx, token=TOKEN) for _press in range(3)]
    assert len({(answer.status_code, answer.headers.get("Location"), answer.text) for answer in answers}) == 1
    assert (answers[0].status_code < 400, refunded()) == (True, [(1250, "goodwill")])
    with app.test_request_context(method="POST"):
        noted = [row.action for row in db.session.query(AuditEntry).filter_by(action="refund given")]
    assert noted == (["refund given"] if who == "staff" else [])


@pytest.mark.parametrize("other", [{"amount": "12,51"}, {"how": "all"}, {"reason": "returned"}])
def test_a_form_that_wants_something_else_the_second_time_is_refused(rex, code, refunded, other):
    address = f"/moderation/orders/{code}/refunds"
    send(rex, address, token=TOKEN)
    answer = send(rex, address, token=TOKEN, **other)
    assert (answer.status_code, "With this form money was given back already." in answer.text) == (409, True)
    assert refunded() == [(1250, "goodwill")]
    [fresh] = re.findall(r'name="token" value="([\w-]{22})"', answer.text)
    assert fresh != TOKEN  # whoever has looked may give more
    assert send(rex, address, token=fresh, **other).status_code == 303
    assert len(refunded()) == 2


def test_two_forms_that_want_the_same_are_two_refunds(rex, code, refunded):
    page = f"/moderation/orders/{code}"
    tokens = [re.findall(r'name="token" value="([\w-]{22})"', rex.get(page).text)[0] for _look in range(2)]
    for token in tokens:
        assert send(rex, f"{page}/refunds", token=token).status_code == 303
    assert refunded() == [(1250, "goodwill")] * 2


def test_all_that_is_left_is_given_once_by_two_hands_at_once(app, rex, code, refunded):
    def press(_n):
        return send(rex, f"/moderation/orders/{code}/refunds", how="all", token=TOKEN).status_code

    with ThreadPoolExecutor(4) as hands:
        assert set(hands.map(press, range(4))) == {303}
    assert refunded() == [(5295, "goodwill")]


def test_a_token_that_is_none_gives_nothing(rex, code, refunded):
    answer = send(rex, f"/moderation/orders/{code}/refunds", token="x y")
    assert (answer.status_code, refunded()) == (422, [])
