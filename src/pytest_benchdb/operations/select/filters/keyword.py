"""Match full names by globs and by `-k` expressions: words, `and`, `or`, `not` and parentheses, as in pytest."""

import fnmatch
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_benchdb.errors import ConfigError

Matcher = Callable[[str], bool]

_TOKEN = re.compile(r"\s*(?:(?P<paren>[()])|(?P<word>[^\s()]+))")
_MOST_DEPTH = 50


@dataclass(slots=True)
class _Parser:
    """A recursive-descent parser of one expression."""

    text: str
    tokens: list[str]
    position: int = 0
    depth: int = 0

    def peek(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self) -> str | None:
        token = self.peek()
        self.position += 1
        return token

    def either(self) -> Matcher:
        matchers = [self.both()]
        while (self.peek() or "").lower() == "or":
            self.take()
            matchers.append(self.both())
        return matchers[0] if len(matchers) == 1 else lambda name: any(matches(name) for matches in matchers)

    def both(self) -> Matcher:
        matchers = [self.negated()]
        while (self.peek() or "").lower() == "and":
            self.take()
            matchers.append(self.negated())
        return matchers[0] if len(matchers) == 1 else lambda name: all(matches(name) for matches in matchers)

    def negated(self) -> Matcher:
        self.depth += 1
        if self.depth > _MOST_DEPTH:
            raise ConfigError(f"-k: more than {_MOST_DEPTH} nested parentheses or 'not'; simplify it")
        token = self.take()
        matcher: Matcher
        if token is not None and token.lower() == "not":
            inner = self.negated()
            matcher = lambda name: not inner(name)  # noqa: E731 - a named function would not be clearer
        elif token == "(":
            matcher = self.either()
            if self.take() != ")":
                raise ConfigError(self.wrong("a ')' is missing"))
        elif token is None or token == ")" or token.lower() in {"and", "or"}:
            raise ConfigError(
                self.wrong(f"a word is missing before {token!r}" if token else "a word is missing at the end")
            )
        else:
            word = token.lower()
            matcher = lambda name: word in name.lower()  # noqa: E731 - as above
        self.depth -= 1
        return matcher

    def wrong(self, what: str) -> str:
        return f"-k {self.text!r}: {what}; write words joined by 'and', 'or', 'not' and parentheses"


def parse_expression(text: str) -> Matcher:
    """Return a case-insensitive predicate over full names.

    >>> matches = parse_expression("sort and not (large or slow)")
    >>> matches("tests/test_a.py::test_sort[small]"), matches("tests/test_a.py::test_sort[large]")
    (True, False)

    Raises:
        ConfigError: the expression is not valid.
    """
    parser = _Parser(text, list(_tokens(text)))
    if not parser.tokens:
        return lambda _name: True
    matcher = parser.either()
    if parser.peek() is not None:
        raise ConfigError(parser.wrong(f"'and' or 'or' is missing before {parser.peek()!r}"))
    return matcher


def _tokens(text: str) -> Iterator[str]:
    for match in _TOKEN.finditer(text):
        yield match["paren"] or match["word"]


def matches_glob(text: str, pattern: str) -> bool:
    """Return whether a glob matches; brackets are literal because most test names contain them.

    >>> matches_glob("tests/test_a.py::test_x[1]", "*::test_x[*]")
    True
    """
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))
