"""Promises: what every answer promises to the browser, and what else those of the till may show."""

from __future__ import annotations

from flask import Flask

PROMISES = (
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; object-src 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin-allow-popups"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)
# Where one pays, and nowhere else, the payment company's own fields may be shown, once there is such a company.
TILL = frozenset(
    (
        "checkout.new",
        "checkout.create",
        "checkout.one",
        "checkout.buy",
        "purchases.show",
        "purchases.look",
        "purchases.pay_again",
    )
)
AT_THE_TILL = (
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self' https://js.stripe.com https://*.js.stripe.com; style-src 'self'; "
        "img-src 'self' data: https://*.stripe.com; media-src 'self'; font-src 'self'; "
        "connect-src 'self' https://api.stripe.com; "
        "frame-src https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com "
        "https://link.com https://*.link.com; manifest-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'; object-src 'none'",
    ),
    (
        "Permissions-Policy",
        'camera=(), geolocation=(), microphone=(), payment=(self "https://js.stripe.com" "https://pay.google.com")',
    ),
)
HTTPS_ONLY = (("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),)


def promised(app: Flask) -> tuple[tuple[str, str], ...]:
    """The headers of every answer, also of those that never reach the app's own code."""
    return PROMISES + (HTTPS_ONLY if app.config["SESSION_COOKIE_SECURE"] else ())
