"""Allowed regressions, from ``--allow FILE`` and `benchdb accept`."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_benchdb.environment.toml_files import read_toml
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.annotation import Acceptance
from pytest_benchdb.model.metric import metrics_of
from pytest_benchdb.model.report import SessionRow
from pytest_benchdb.model.series import SeriesKey
from pytest_benchdb.operations.select.filters.keyword import matches_glob

_KEYS = ("pattern", "metric", "reason", "expires")
_EXAMPLE = 'write [[allow]] with pattern = "tests/test_a.py::*", reason = "..." and expires = 2027-01-31'


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """A regression that may pass.

    Attributes:
        pattern: glob over full names.
        metric: metric or word such as ``time``; None for all.
        reason: why it may pass.
        expires_at: when it stops counting, ISO 8601 in UTC; None for never.
        since_session_id: first session of the accepted level; None for the judged session.
        fingerprint: the machine; None for all.
        origin: where it was written, as text.
    """

    pattern: str
    metric: str | None
    reason: str
    expires_at: str | None
    since_session_id: str | None = None
    fingerprint: str | None = None
    origin: str = ""

    def matches(self, key: SeriesKey, fingerprint: str | None) -> bool:
        """Return whether it covers a series on a machine."""
        if self.fingerprint is not None and self.fingerprint != fingerprint:
            return False
        if self.metric is not None and key.metric not in metrics_of(self.metric):
            return False
        return matches_glob(key.fullname, self.pattern)

    def has_expired(self, now: str) -> bool:
        """Return whether it has expired at `now`, ISO 8601 in UTC."""
        return self.expires_at is not None and self.expires_at <= now

    def text(self) -> str:
        """Return the reason, the origin and the expiry, for a message."""
        until = f", until {self.expires_at[:10]}" if self.expires_at else ""
        return f"{self.reason} ({self.origin}{until})"


def read_allow_file(path: Path) -> tuple[Allowance, ...]:
    """Read the ``[[allow]]`` tables of a TOML file.

    Raises:
        ConfigError: the file cannot be read, or an entry is not valid.
    """
    document = read_toml(path, "--allow", _EXAMPLE)
    tables = document.get("allow")
    if set(document) - {"allow"} or not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
        raise ConfigError(f"--allow {path} contains something other than [[allow]] tables; {_EXAMPLE}")
    return tuple(_allowance(table, f"--allow {path}, entry {number}") for number, table in enumerate(tables, 1))


def allowance_from_acceptance(acceptance: Acceptance, *, names: Mapping[str, str]) -> Allowance:
    """Return the allowance for an acceptance recorded by `benchdb accept`.

    Args:
        acceptance: as stored.
        names: full names of the candidate's benchmarks by id; an acceptance of another benchmark matches nothing.
    """
    by = f" by {acceptance.author}" if acceptance.author else ""
    pattern = acceptance.pattern or "*"
    if acceptance.benchmark_id is not None:
        pattern = names.get(acceptance.benchmark_id, "")
    return Allowance(
        pattern=pattern,
        metric=acceptance.metric,
        reason=acceptance.reason,
        expires_at=acceptance.expires_at,
        since_session_id=acceptance.since_session_id,
        fingerprint=acceptance.fingerprint,
        origin=f"accepted {acceptance.created_at[:10]}{by}",
    )


def active_allowance(
    allowances: Iterable[Allowance],
    key: SeriesKey,
    session: SessionRow,
    now: str,
    *,
    covers: Callable[[Allowance], bool] = lambda _allowance: False,
) -> Allowance | None:
    """Return the last unexpired allowance of a session's series; None if there is none.

    Args:
        allowances: from files and the database.
        key: the series.
        session: the judged session.
        now: ISO 8601 in UTC.
        covers: whether an acceptance since an earlier session excuses this change, and not an earlier one only.
    """
    active = [
        allowance
        for allowance in allowances
        if allowance.matches(key, session.fingerprint)
        and not allowance.has_expired(now)
        and (allowance.since_session_id in {None, session.session_id} or covers(allowance))
    ]
    return active[-1] if active else None


def expired_warnings(allowances: Iterable[Allowance], keys: Iterable[SeriesKey], now: str) -> list[str]:
    """Return one line for each expired allowance that covers one of these series."""
    series = list(keys)
    return [
        f"no longer allowed since {(allowance.expires_at or '')[:10]}: {allowance.pattern} "
        f"({allowance.origin}: {allowance.reason})"
        for allowance in allowances
        if allowance.has_expired(now) and any(allowance.matches(key, allowance.fingerprint) for key in series)
    ]


def _allowance(table: Mapping[str, Any], place: str) -> Allowance:
    unknown = set(table) - set(_KEYS)
    if unknown:
        raise ConfigError(f"{place}: unknown key {min(unknown)!r}; known are {', '.join(_KEYS)}")
    texts = {name: table.get(name) for name in ("pattern", "metric", "reason")}
    for name, text in texts.items():
        if (text is None and name != "metric") or not (text is None or (isinstance(text, str) and text.strip())):
            raise ConfigError(f"{place}: {name} is {text!r}; {_EXAMPLE}")
    return Allowance(
        pattern=str(texts["pattern"]),
        metric=texts["metric"],
        reason=" ".join(str(texts["reason"]).split()),
        expires_at=_expiry(table.get("expires"), place),
        origin=place.removeprefix("--allow "),
    )


def _expiry(expires: object, place: str) -> str | None:
    """Return a time, or the end of a date, as ISO 8601 in UTC; a time without a zone is UTC."""
    if expires is None:
        return None
    if isinstance(expires, str):
        try:
            expires = (
                dt.datetime.fromisoformat(expires)
                if "T" in expires or " " in expires
                else dt.date.fromisoformat(expires)
            )
        except ValueError:
            expires = object()
    if isinstance(expires, dt.datetime):
        aware = expires if expires.tzinfo else expires.replace(tzinfo=dt.timezone.utc)
        return aware.astimezone(dt.timezone.utc).replace(tzinfo=None).isoformat()
    if isinstance(expires, dt.date):
        return f"{expires + dt.timedelta(days=1)}T00:00:00"
    raise ConfigError(f"{place}: expires is not a date; write for example expires = 2027-01-31")
