"""Names of machines as people know them: what they were called at an import, else their processor.

Machines of one processor are distinguished by the first facts in which they differ, so that readers see why two series
are apart; a fingerprint, which says nothing, is the last resort.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from pytest_benchdb.model.report import SessionRow

_SHORT = 8
_FACTS: Sequence[Callable[[SessionRow], str | None]] = (
    lambda session: f"{session.threads} threads" if session.threads else None,
    lambda session: session.os,
    lambda session: " ".join((session.python or "").split(" ")[:2]) or None,
    lambda session: f"imported from {session.tool}" if session.kind == "import" else "recorded here",
)


def machine_names(sessions: Iterable[SessionRow]) -> Mapping[str, str]:
    """Return a name for each fingerprint, unlike all others."""
    newest = {session.fingerprint: session for session in sessions if session.fingerprint}
    groups: dict[str, list[str]] = {}
    for fingerprint, session in newest.items():
        groups.setdefault(_plain(session), []).append(fingerprint)
    names: dict[str, str] = {}
    for name, alike in groups.items():
        names.update(_apart(name, {fingerprint: newest[fingerprint] for fingerprint in alike}))
    return names


def _plain(session: SessionRow) -> str:
    if session.machine_name or session.cpu_model:
        return session.machine_name or session.cpu_model or ""
    where = ", ".join(filter(None, (session.os, session.python)))
    return f"unnamed machine ({where})" if where else "unnamed machine"


def _apart(name: str, sessions: Mapping[str, SessionRow]) -> Mapping[str, str]:
    """Return names of machines with one plain name, with as few facts as distinguish them."""
    if len(sessions) == 1:
        return dict.fromkeys(sessions, name)
    shown: dict[str, list[str]] = {fingerprint: [] for fingerprint in sessions}
    for fact in _FACTS:
        found = {fingerprint: fact(session) for fingerprint, session in sessions.items()}
        if len(set(found.values())) > 1:
            for fingerprint, text in found.items():
                shown[fingerprint] += [text] if text else []
        if len(set(map(tuple, shown.values()))) == len(sessions):
            break
    listed = [tuple(texts) for texts in shown.values()]
    for fingerprint, texts in shown.items():
        if listed.count(tuple(texts)) > 1:
            texts.append(fingerprint[:_SHORT])
    return {fingerprint: f"{name} ({', '.join(texts)})" if texts else name for fingerprint, texts in shown.items()}
