"""Secrets out of everything that quotes a server: an answer may repeat what was sent."""

from __future__ import annotations

import json
from urllib.parse import quote_plus

HIDDEN = "***"
"""What stands for a secret."""

_LONGEST_QUOTE = 500
_SHORTEST_SECRET = 3


class Redactor:
    """Knows the secrets of a run and replaces them in texts; safe across threads."""

    def __init__(self, *secrets: str) -> None:
        """Know these secrets from the start."""
        self._forms: tuple[str, ...] = ()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Know one more secret, such as a token that was minted; two characters are none."""
        forms = {secret, quote_plus(secret), json.dumps(secret)[1:-1]}
        # A longer secret may hold a shorter one.
        known = {form for form in {*self._forms, *forms} if len(form) >= _SHORTEST_SECRET}
        self._forms = tuple(sorted(known, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """The text with `***` for each secret."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return text

    def quote(self, text: str) -> str:
        """A server's words as one line of readable length, without secrets."""
        return " ".join(self(text).split())[:_LONGEST_QUOTE]
