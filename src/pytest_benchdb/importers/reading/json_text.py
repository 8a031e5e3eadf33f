"""JSON of result files: decoded and parsed within bounds; an error names line and column, and what broke the file.

`head_of_json` recognises a format by the keys in the first bytes of a file, whatever their order.
"""

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pytest_benchdb.errors import ImportFormatError
from pytest_benchdb.importers.reading.files import read_whole

MOST_BYTES = 256 << 20
MOST_VALUES = 20_000_000
"""Values of one file, each of which takes about 50 bytes of memory; counted by their separators."""

_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONFLICT = ("<<<<<<< ", "=======", ">>>>>>> ")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]')
_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonHead:
    """What the first bytes of a file show of its JSON.

    Attributes:
        kind: ``{`` or ``[``; empty for anything else.
        keys: of the outermost object; of an array, those of the objects in it.
        inner: keys one level below `keys`: of objects that are values there, or in arrays that are.
    """

    kind: str = ""
    keys: frozenset[str] = frozenset()
    inner: frozenset[str] = frozenset()

    def has(self, *keys: str) -> bool:
        """Return whether each of the keys is there."""
        return self.keys.issuperset(keys)


@lru_cache(maxsize=4)
def head_of_json(head: bytes) -> JsonHead:
    """Return what the first bytes of a file show of its JSON; never raises.

    >>> sorted(head_of_json(b'{"a": [{"b": 1, "c"').keys), sorted(head_of_json(b'[{"a": {"b": 1').inner)
    (['a'], ['b'])
    """
    text = decoded(head, errors="replace").lstrip()
    kind = text[:1]
    if kind not in {"{", "["}:
        return JsonHead()
    keys: set[str] = set()
    inner: set[str] = set()
    depth = 0  # of objects only
    before = ""
    for match in _TOKEN.finditer(text):
        token = match.group()
        if token == "{":
            depth += 1
        elif token == "}":
            depth -= 1
        elif token == ":" and before and depth in (1, 2):
            (keys if depth == 1 else inner).add(before)
        before = token[1:-1] if token[0] == '"' and len(token) <= _LONGEST_KEY else ""
    return JsonHead(kind=kind, keys=frozenset(keys), inner=frozenset(inner))


def decoded(content: bytes, errors: str = "strict") -> str:
    """Return the text of a file in UTF-8, or in UTF-16 or UTF-32 if it begins with their mark.

    Raises:
        UnicodeDecodeError: it is not such a text.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, errors)
    return content.decode("utf-8", errors)


def text_of(path: Path) -> str:
    """Return the text of a file, decompressed, without the mark of its encoding.

    Raises:
        ImportFormatError: it is empty, too large, not a text, or has the conflict markers of a merge.
    """
    content = read_whole(path, MOST_BYTES)
    if not content.strip():
        raise ImportFormatError("it is empty: its writer died, or has not finished")
    try:
        text = decoded(content)
    except UnicodeDecodeError as error:
        raise ImportFormatError(f"it is not {error.encoding.upper()} (byte {error.start})") from error
    if "<<<<<<< " in text and ">>>>>>> " in text:
        lines = text.splitlines()
        number = next((number for number, line in enumerate(lines, 1) if line.startswith(_CONFLICT[0])), None)
        if number is not None and any(line.startswith(_CONFLICT[2]) for line in lines):
            raise ImportFormatError(f"line {number} is a conflict marker of git; resolve the merge first")
    return text


def json_of(path: Path, what: str) -> Any:
    """Return the JSON of a file. ``NaN`` and ``Infinity``, which some tools write, are floats.

    Args:
        path: the file, gzipped or not.
        what: whose JSON it is, for messages: ``hyperfine``.

    Raises:
        ImportFormatError: it cannot be read; the message has line and column.
    """
    return parsed(text_of(path), what)


def parsed(text: str, what: str) -> Any:
    """Return the value of a JSON text, as `json_of` does that of a file.

    Raises:
        ImportFormatError: it is not JSON, too large, too deep, or says one thing twice.
    """
    # An object takes as much memory as several numbers.
    if text.count(",") + text.count("[") + 4 * text.count("{") > MOST_VALUES:
        raise ImportFormatError(f"it has more than {MOST_VALUES:,} values; split it")
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError as error:
        raise ImportFormatError(f"it is nested too deeply for the JSON of {what}") from error
    except json.JSONDecodeError as error:
        cut = "; it looks cut off" if error.pos >= len(error.doc.rstrip()) - 1 else ""
        place = f"line {error.lineno}, column {error.colno}"
        raise ImportFormatError(f"it is not JSON: {error.msg} in {place}{cut}") from error
    except ValueError as error:  # an integer of thousands of digits
        raise ImportFormatError(f"it has a number that cannot be read: {error}") from error


def json_lines_of(path: Path, what: str) -> Iterator[tuple[int, Any]]:
    """Yield the number and the value of each line of a file of JSON lines; an error for a line that is not JSON.

    Raises:
        ImportFormatError: the file cannot be read.
    """
    for number, line in enumerate(text_of(path).splitlines(), 1):
        if line.strip():
            try:
                yield number, parsed(line, what)
            except ImportFormatError as error:
                yield number, error


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; two values of one key must not silently become the last."""
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen and seen[key] != value:
                raise ImportFormatError(f"it has the key {key[:60]!r} twice in one object, with different values")
            seen[key] = value
    return result
