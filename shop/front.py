"""The front: Flask's way of a request, without what it does again each time for nobody.

The same hosts are checked once, the same cookie is unsigned once, the same `Vary` is put together once, and no list of
hooks is looked for where there is none. What a request meets, and in which order, is as Flask has it; `test_front.py`
holds this file against Flask itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from io import BytesIO
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import IO, TYPE_CHECKING, Any, cast

from flask import Flask, Request, Response
from flask.globals import request_ctx
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from htmx_flask.requests import HtmxAwareRequest
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.datastructures import Headers, ImmutableMultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter, RoutingException, Rule
from werkzeug.sansio.http import parse_cookie
from werkzeug.sansio.utils import get_current_url
from werkzeug.utils import cached_property

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HOSTS = 256  # ways to be called that each process remembers; the ones that nobody trusts are not among them
COOKIES = 4096
ADDRESSES = 4096
LONGEST = 2048  # signs of a header or an address that is worth remembering: no stranger fills our memory with them
A_DAY = 24 * 3600  # seconds
IN_MEMORY = "etalage.in_memory"  # set by the edge where nothing that arrives may come on a disk
_HAVE_NO_BODY = frozenset((204, 304))
# What is told of a body, and so not of none (as werkzeug has it; a 304 keeps where it is and how long it is good for).
_OF_A_BODY = frozenset(
    (
        "allow",
        "content-encoding",
        "content-language",
        "content-length",
        "content-range",
        "content-type",
        "last-modified",
    )
)


class Answered(Response):
    """An answer that is whole already leaves as it is: Flask copies its headers, and wraps its body in an iterator."""

    made = ""  # the fingerprint of a body that is known
    packed: dict[str, bytes] | None = None  # and what became of it when it was compressed

    @classmethod
    def known(cls, body: bytes, pairs: Iterable[tuple[str, str]]) -> Answered:
        """A page that was made before, with headers that are our own words: as the long way would make it."""
        answer = cls.__new__(cls)
        answer.headers = ready(pairs)
        answer._status, answer._status_code = "200 OK", 200
        answer.direct_passthrough, answer._on_close, answer.response = False, [], [body]
        return answer

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """The headers with the length, where nothing else is to be set right in them."""
        if self.status_code == 304:
            return ready([pair for pair in self.headers if pair[0].lower() not in _OF_A_BODY])
        if self.status_code != 200 or type(self.response) is not list or "Content-Location" in self.headers:
            return super().get_wsgi_headers(environ)
        if "Content-Length" not in self.headers:
            self.headers._list.append(("Content-Length", str(sum(map(len, self.iter_encoded())))))
        return self.headers

    def get_app_iter(self, environ: WSGIEnvironment) -> Iterable[bytes]:
        """The body, where there is one and nobody waits for its end."""
        has_body = environ["REQUEST_METHOD"] != "HEAD" and self.status_code >= 200
        is_plain = type(self.response) is list and not self._on_close and not self.direct_passthrough
        if has_body and is_plain and self.status_code not in _HAVE_NO_BODY:
            return list(self.iter_encoded())
        return super().get_app_iter(environ)


class Told(ImmutableMultiDict[str, str]):
    """What somebody told us by name. Werkzeug's own asks for what is not there, and catches what is raised then."""

    def get(self, key: str, default: Any = None, *kind: Any, **more: Any) -> Any:  # type: ignore[override]
        """What is told first under this name."""
        return super().get(key, default, *kind, **more) if key in self else default


class Asked(HtmxAwareRequest):  # type: ignore[misc]  # it has no types
    """A request whose files stay in memory where the edge says so; else a large one waits in a temporary file.

    The same cookies are read once, and a question that nobody asked is not read.
    """

    parameter_storage_class = Told

    @cached_property
    def cookies(self) -> ImmutableMultiDict[str, str]:
        """What the browser kept for us."""
        header = self.environ.get("HTTP_COOKIE", "")
        return (_cookies if len(header) <= LONGEST else _cookies.__wrapped__)(header)

    @cached_property
    def args(self) -> ImmutableMultiDict[str, str]:
        """What stands behind the question mark."""
        return cast("ImmutableMultiDict[str, str]", super().args) if self.environ.get("QUERY_STRING") else _NOTHING

    def _get_file_stream(
        self, total_content_length: int | None, content_type: str | None, *given: Any, **more: Any
    ) -> IO[bytes]:
        if IN_MEMORY in self.environ:
            return BytesIO()
        return cast(IO[bytes], super()._get_file_stream(total_content_length, content_type, *given, **more))


_NOTHING = Told()


@lru_cache(maxsize=COOKIES)
def _cookies(header: str) -> ImmutableMultiDict[str, str]:
    return cast("ImmutableMultiDict[str, str]", parse_cookie(header, cls=Told))


@lru_cache(maxsize=COOKIES)
def network(address: str) -> str:
    """By what an address is counted. Of IPv6 its /64: whoever has one address there has all of them."""
    try:
        found = ip_address(address)
    except ValueError:
        return address or "unknown"
    if isinstance(found, IPv4Address):
        return address
    return str(found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64))


def root(asked: Request) -> str:
    """The address of the shop's front page, as the visitor knows it."""
    return _root(asked.scheme, asked.host, asked.root_path)


_root = lru_cache(maxsize=HOSTS)(get_current_url)


def vary(response: Response, names: tuple[str, ...]) -> None:
    """Tell caches of `names` too. Names are added and never assigned, so what others told survives."""
    pairs = response.headers._list  # our own words: each assignment would check each of them again
    for place, (name, told) in enumerate(pairs):
        if name == "Vary":
            pairs[place] = ("Vary", _joined(told, names))
            return
    pairs.append(("Vary", ", ".join(names)))


def ready(pairs: Iterable[tuple[str, str]]) -> Headers:
    """Headers of pairs that were checked before, or are our own words."""
    headers = Headers()
    headers._list = list(pairs)
    return headers


@lru_cache(maxsize=256)
def _joined(told: str, names: tuple[str, ...]) -> str:
    known = [name.strip() for name in told.split(",") if name.strip()]
    low = {name.lower() for name in known}
    return ", ".join([*known, *(name for name in names if name.lower() not in low)])


class Front(Flask):
    """Flask, at a brisk walk. Our hooks are the app's own, never a blueprint's, and none of them is a coroutine."""

    request_class = Asked
    response_class = Answered

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._hosts: dict[tuple[Any, ...], tuple[str, MapAdapter]] = {}
        self.session_interface = SignedSessions()

    def ensure_sync(self, func: Any) -> Any:
        """It is none; Flask asks each of them again, each time."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Who is called by a name that was trusted before is not checked again."""
        if request is None or "HTTP_UPGRADE" in request.environ:
            return super().create_url_adapter(request)
        asked = request.environ
        called = (asked.get("HTTP_HOST"), asked["wsgi.url_scheme"], asked.get("SCRIPT_NAME"))
        key = (*called, asked.get("SERVER_NAME"), asked.get("SERVER_PORT"), *(self.config["TRUSTED_HOSTS"] or ()))
        known = self._hosts.get(key)
        if known is None:
            return self._get_to_know(request, key)
        request.trusted_hosts = self.config["TRUSTED_HOSTS"]
        request.host, before = known
        return _as(before, asked)

    def _get_to_know(self, request: Request, key: tuple[Any, ...]) -> MapAdapter | None:
        adapter = super().create_url_adapter(request)  # raises where the name is not trusted
        if adapter is not None and len(self._hosts) < HOSTS:
            self._hosts[key] = (request.host, adapter)
        return adapter

    def preprocess_request(self) -> Any:
        """What comes before a handler; the first that answers ends it."""
        for ask in self.before_request_funcs[None]:
            if (answer := ask()) is not None:
                return answer
        return None

    def process_response(self, response: Response) -> Response:
        """What comes after a handler."""
        visit = request_ctx._get_current_object()  # type: ignore[attr-defined]
        for change in visit._after_request_functions:
            response = change(response)
        for change in reversed(self.after_request_funcs[None]):
            response = cast(Response, change(response))
        self.session_interface.save_session(self, visit._session, response)
        return response


class Adapter(MapAdapter):
    """The same host, asked for another address; one that was found before is not looked for again."""

    def __init__(self, before: MapAdapter, *asked: Any) -> None:
        known = (before.map, before.server_name, before.script_name, before.subdomain, before.url_scheme)
        super().__init__(*known, *asked)
        self._before = before

    def match(self, *given: Any, **more: Any) -> Any:
        """The rule of this address and what it says; where there is none, or another address, werkzeug says so."""
        if not given and more == {"return_rule": True} and len(self.path_info) <= LONGEST:
            with suppress(HTTPException, RoutingException):
                rule, args = _matched(self._before, self.default_method, self.path_info)
                return rule, dict(args)
        return super().match(*given, **more)


@lru_cache(maxsize=ADDRESSES)
def _matched(before: MapAdapter, method: str, path: str) -> tuple[Rule, Mapping[str, Any]]:
    return before.match(path, method, return_rule=True)


def _as(before: MapAdapter, asked: WSGIEnvironment) -> MapAdapter:
    path, question = asked.get("PATH_INFO", ""), asked.get("QUERY_STRING", "")
    return Adapter(
        before,
        path if path.isascii() else path.encode("latin-1").decode(errors="replace"),
        asked["REQUEST_METHOD"],
        question if question.isascii() else question.encode("latin-1").decode(errors="replace"),
    )


class OpenedSession(SecureCookieSession):
    """What a browser brought."""

    is_renewed = False  # is its cookie so old that it is signed again with this answer?


class SignedSessions(SecureCookieSessionInterface):
    """Flask's signed cookie. One that was found genuine is not checked again, but for its age.

    Only genuine ones are remembered, by their whole text: one character more or less is another cookie.
    """

    session_class = OpenedSession

    def __init__(self) -> None:
        self._signer: URLSafeTimedSerializer | None = None
        self._genuine = lru_cache(maxsize=COOKIES)(self._opened)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The signer of this app, made once: Flask makes a new one to read and another to write."""
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer

    def _opened(self, signer: URLSafeTimedSerializer, sent: str) -> tuple[dict[str, Any] | None, float]:
        kept, signed = signer.loads(sent, return_timestamp=True)
        is_flat = all(isinstance(value, str | int) for value in kept.values())  # so that a copy shares nothing
        return kept if is_flat else None, signed.timestamp()

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """What the browser brings; an empty session where that is nothing, too old or not ours."""
        signer = self.get_signing_serializer(app)
        if signer is None:
            return None
        sent = request.cookies.get(self.get_cookie_name(app))
        if not sent:
            return self.session_class()
        try:
            kept, signed = self._genuine(signer, sent)
        except BadSignature:
            return self.session_class()
        age = int(time.time()) - signed
        if not 0 <= age <= app.permanent_session_lifetime.total_seconds():
            return self.session_class()
        opened = self.session_class(signer.loads(sent) if kept is None else kept)
        opened.is_renewed = age > A_DAY and request.method == "POST"
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Sign it where it was changed, or where somebody does something with one of yesterday, so that it does not end
        while it is used; where it was only looked at, tell the caches.
        """
        if getattr(session, "is_renewed", False):
            session.modified = True
        if session.modified or session.permanent:
            super().save_session(app, session, response)
        elif session.accessed:
            vary(response, ("Cookie",))
