"""Where a gateway calls: checked by its signature, kept, and seen to later by a job.

Only the gateway that moves this shop's money has doors here. 200 says that we have it; whoever gets anything else calls
again. 400 is for what is not from the gateway, or not for us; 5xx is only said when the inbox cannot be written.
"""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, abort, request

from shop import gateways, notices
from shop.database import db
from shop.gateways.payment_port import ForgedError

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")

log = structlog.get_logger()


@bp.post("/<gateway>")
def payments(gateway: str) -> Response:
    """A call about payments, refunds and disputes."""
    return _keep(gateway, "payments")


@bp.post("/<gateway>/accounts")
def accounts(gateway: str) -> Response:
    """A call about a seller's account: signed with another secret, and it says only which account to look at."""
    return _keep(gateway, "accounts")


def _keep(gateway: str, endpoint: str) -> Response:
    if gateway != gateways.payment().name:
        abort(404)
    try:
        notices.receive(request.get_data(), request.headers.get("Stripe-Signature"), endpoint=endpoint)
    except ForgedError as error:
        log.warning("a forged call", why=str(error), endpoint=endpoint)
        return Response(status=400)
    db.session.commit()
    return Response(status=200)
