"""Somebody who walks through a shop that is open in processes of its own."""

import http.client
import time
from contextlib import closing
from urllib.parse import urlencode

from tests.routes.conftest import NOOR, hidden


class Browser:
    """Somebody with a cookie, who waits."""

    def __init__(self, shop):
        self.shop, self.cookie = shop, ""

    def ask(self, how, path, form=None):
        """Status, words, and how long it took."""
        headers = {"Cookie": self.cookie, "Sec-Fetch-Site": "same-origin"}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        began = time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", self.shop.port, timeout=30)) as line:
            line.request(how, path, urlencode(form) if form else None, headers)
            answer = line.getresponse()
            words = answer.read().decode()
        if cookie := answer.getheader("Set-Cookie"):
            self.cookie = cookie.partition(";")[0]
        return answer.status, words, time.monotonic() - began

    def buy(self, variant="v0000000", method="card"):
        self.ask("POST", "/cart/lines", {"variant": variant, "quantity": "1"})
        _status, page, _took = self.ask("GET", "/checkout")
        return self.ask("POST", "/checkout", {**NOOR, "method": method, **hidden(page)})

    def sign_in(self):
        return self.ask("POST", "/sign-in", {"email": "noor@example.com", "password": "twelve letters!"})
