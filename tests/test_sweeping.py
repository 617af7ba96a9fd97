"""What nobody comes back for is gone when its time is over, and not before."""

import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, update

import shop
from shop import accounts, cart, clock, sweeping
from shop.database import db
from shop.models import Cart, CartLine, Invitation, PasswordReset, Purchase, Session, User
from tests.till import placed

ALL = Path(shop.__file__).parent.parent


def left(table):
    return db.session.scalar(select(func.count()).select_from(table))


def test_a_cart_is_kept_for_ninety_days_and_a_guests_goes_with_what_was_in_it(at_the_desk, mug, noor, pass_time):
    guests, hers = cart.open_for(None), cart.open_for(noor.id)
    cart.add(guests, "mug-s", 1)
    cart.add(hers, "mug-l", 1)
    db.session.commit()
    pass_time(days=60)
    cart.add(guests, "mug-l", 1)
    pass_time(days=29)
    sweeping.sweep_what_is_over()
    assert (left(Cart), left(CartLine)) == (2, 3)
    pass_time(days=2)
    sweeping.sweep_what_is_over()
    assert [line.code for line in cart.lines(guests)] == ["mug-l"]
    assert (left(Cart), left(CartLine)) == (2, 1)
    pass_time(days=60)
    sweeping.sweep_what_is_over()
    assert list(db.session.scalars(select(Cart.user_id))) == [noor.id]
    assert left(CartLine) == 0


def test_sessions_and_links_go_when_they_have_run_out(at_the_desk, noor, pass_time):
    accounts.open_session(db.session.get(User, noor.id))
    ends = db.session.scalar(select(Session.expires_at)) - clock.now()
    link = {"user_id": noor.id, "created_at": clock.now(), "expires_at": clock.now() + timedelta(hours=1)}
    db.session.add_all([PasswordReset(token_hash=b"reset", **link), Invitation(token_hash=b"invited", **link)])
    db.session.commit()
    sweeping.sweep_what_is_over()
    assert (left(Session), left(PasswordReset), left(Invitation)) == (1, 1, 1)
    pass_time(hours=2)
    sweeping.sweep_what_is_over()
    assert (left(Session), left(PasswordReset), left(Invitation)) == (1, 0, 0)
    pass_time(seconds=ends.total_seconds())
    sweeping.sweep_what_is_over()
    assert left(Session) == 0


def test_work_that_is_written_down_is_known_to_every_process():
    """A module that nobody imports would never be asked."""
    files = {file for file in (ALL / "shop").rglob("*.py") if re.search("^@jobs", file.read_text(), re.MULTILINE)}
    written = {".".join(file.relative_to(ALL).with_suffix("").parts) for file in files}
    loads = [sys.executable, "-c", "import app, sys; print(*sys.modules)"]
    told = subprocess.run(loads, cwd=ALL, capture_output=True, text=True, check=True)
    assert len(written) > 20
    assert written - set(told.stdout.split()) == set()


def test_a_cart_whose_payment_may_still_come_tells_whether_the_same_was_paid_in_another_tab(
    at_the_desk, mug, pass_time
):
    opened = db.session.scalar(select(Cart.id).where(Cart.code == cart.open_for(None)))
    db.session.commit()
    pass_time(days=91)
    purchase, _attempt = placed({mug.small: 1})
    db.session.execute(update(Purchase).where(Purchase.id == purchase).values(cart_id=opened))
    db.session.commit()
    sweeping.sweep_what_is_over()
    assert db.session.scalar(select(Purchase.cart_id).where(Purchase.id == purchase)) == opened
