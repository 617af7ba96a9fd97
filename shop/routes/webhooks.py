"""Where a gateway calls: checked by its signature, kept, and seen to later by a job."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, request

from shop import settlement
from shop.database import db
from shop.gateways.payment_port import ForgedError

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")

log = structlog.get_logger()


@bp.post("/sandbox")
def sandbox() -> Response:
    """Keep a call of the sandbox. 200 says that we have it: who gets anything else calls again."""
    try:
        settlement.receive(request.get_data(), request.headers.get("Stripe-Signature"))
    except ForgedError as error:
        log.warning("a forged call", why=str(error))
        return Response(status=400)
    db.session.commit()
    return Response(status=200)
