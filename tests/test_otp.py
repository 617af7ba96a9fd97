"""One-time codes: the examples of the standard, and how far a clock may be off."""

from datetime import UTC, datetime, timedelta

import pytest

from shop import otp

SEED = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "code"),  # RFC 6238, appendix B, SHA-1
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_examples_of_the_standard(seconds, code):
    step = otp.step_at(datetime.fromtimestamp(seconds, UTC))
    assert otp.code(SEED, step, digits=8) == code
    assert otp.code(SEED, step) == code[2:]


@pytest.mark.parametrize(("late", "fits"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_clock_may_be_half_a_minute_off(late, fits):
    now = datetime(2026, 11, 28, 12, 0, 15, tzinfo=UTC)
    given = otp.code(SEED, otp.step_at(now + timedelta(seconds=late)))
    assert otp.step_of(SEED, given, now) == (otp.step_at(now) + late // 30 if fits else None)


def test_an_app_reads_the_seed_from_its_address():
    told = otp.address(SEED, "Etalage", "rex@example.com")
    assert told == "otpauth://totp/Etalage:rex%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Etalage"


@pytest.mark.parametrize("given", ["", "abc", "123", "١٢٣٤٥٦"])
def test_what_is_no_code_fits_nothing(given):
    assert otp.step_of(SEED, given, datetime(2026, 11, 28, tzinfo=UTC)) is None
