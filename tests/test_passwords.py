"""Which passwords will do."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Lock

import pytest

from shop import passwords
from shop.errors import Refused

pytestmark = pytest.mark.usefixtures("at_the_desk_of_sqlite")


@pytest.fixture(scope="module")
def at_the_desk_of_sqlite(open_shop):
    with open_shop("").test_request_context():
        yield


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "a" * 129,
        "aaaaaaaaaaaa",
        "abababababab",
        "123456789012",
        "abcdefghijklm",
        "password1234",
        "Password1234!",
        "12 Professional!",
        "qwertyuiop123",
        "qwertyqwerty",
        "correcthorsecorrecthorse",
        "noor noor noor",
        "noor@example.com",
        "Noor1example2",
    ],
)
def test_what_a_burglar_tries_first_is_refused(password):
    with pytest.raises(Refused) as no:
        passwords.check(password, "Noor", "noor@example.com")
    assert no.value.status == 422


@pytest.mark.parametrize(
    "password", ["three quiet geese", "twelve letters", "Xk9#mPq2!vLs", "ünïcödé gänse", "a b c d e f g h"]
)
def test_what_nobody_guesses_will_do(password):
    passwords.check(password, "Noor", "noor@example.com")


def test_a_password_fits_its_own_hash_and_nothing_fits_nobodys(dear_hashes):
    kept = passwords.hashed("three quiet geese")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.is_right("three quiet geese", kept) is True
    assert passwords.is_right("three quiet goose", kept) is False
    assert passwords.is_right("three quiet geese", None) is False
    assert passwords.is_right("three quiet geese", "not a hash") is False


def test_at_most_two_are_hashed_at_once(monkeypatch):
    now, most, lock, pair = 0, 0, Lock(), Barrier(2)

    class Slow:
        def hash(self, _password):
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            pair.wait(10)  # one alone waits for the second; a third would be counted
            with lock:
                now -= 1
            return "hash"

    def ask(_n):
        return passwords.hashed("three quiet geese")

    monkeypatch.setattr(passwords, "_hasher", Slow())
    with ThreadPoolExecutor(8) as crowd:
        assert list(crowd.map(ask, range(8))) == ["hash"] * 8
    assert most == 2
