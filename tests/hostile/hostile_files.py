"""A store with a hostile file in it, and files of the user outside that no command may read or write."""

import hashlib
import os
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import duckdb
from tests.cli.conftest import make_session
from tests.store.schema.test_catalogue import HOSTILE as STATEMENTS

LONGEST_S = 30
"""How long a command may take on a busy machine; on a quiet one it takes less than a second."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a hostile file is tried.

    Attributes:
        outside: files of the user.
        store: a folder of good sessions and the hostile file.
        work: the working folder.
        secret: a text in `outside` that no command may show.
    """

    outside: Path
    store: Path
    work: Path
    secret: str

    def tree(self) -> dict[str, str]:
        """Return what is outside: the digest of each file, the target of each link."""
        return {
            path.relative_to(self.outside).as_posix(): _digest(path)
            for path in sorted(self.outside.rglob("*"))
            if path.is_symlink() or not path.is_dir()
        }


def new_ground(folder: Path, sessions: Path) -> Ground:
    """Lay out the folders; `sessions` has good session files."""
    outside, store, work = folder / "outside", folder / "store", folder / "work"
    secret = f"canary-{secrets.token_hex(8)}"
    (outside / ".git").mkdir(parents=True)
    (outside / "empty").mkdir()
    work.mkdir()
    store.mkdir()
    for name in ("secret.txt", "secret.csv"):
        (outside / name).write_text(f"text\n{secret}\n", encoding="utf-8")
    (outside / "key.bin").write_bytes(b"\x00no line end " + secret.encode())
    (outside / "package.json").write_text(f'{{"name": "{secret}"}}', encoding="utf-8")
    (outside / ".git" / "config").write_text(f"[remote]\nurl = {secret}", encoding="utf-8")
    for path in sessions.glob("*.duckdb"):
        shutil.copy(path, store / path.name)
    return Ground(outside, store, work, secret)


def good_sessions(folder: Path) -> Path:
    """Write three good sessions."""
    for hour in range(3):
        make_session(folder, at=hour, label=f"good-{hour}")
    return folder


# ---------------------------------------------------------------- what is hostile
Spoil = Callable[[Ground], Path]
"""Puts something hostile into the store; returns its path."""

NAMES = {
    "session": "20260101T000000Z-01a22440-ac35-7eac-a60e-b6e9923f2301.duckdb",
    "journal": "01a22440-ac35-7eac-a60e-b6e9923f2301.journal.jsonl",
    "part": ".01a22440-ac35-7eac-a60e-b6e9923f2301.part",
    "clean": ".01a22440-ac35-7eac-a60e-b6e9923f2301.clean",
    "history": "history.duckdb",
    "write-ahead log": "history.duckdb.wal",
    "lock": "history.lock",
    "attachments": "attachments",
    "other": "notes.txt",
}
READS = {
    "read_text": "(SELECT content FROM read_text('{outside}/secret.txt'))",
    "read_csv": "(SELECT * FROM read_csv('{outside}/secret.csv'))",
    "a file as a table": "(SELECT * FROM '{outside}/secret.csv')",
    "glob": "(SELECT string_agg(file) FROM glob('{outside}/*'))",
    "settings": "(SELECT string_agg(value) FROM duckdb_settings())",
    "a large text": "repeat('x', 300000000)",
    "many rows": "(SELECT string_agg(range::VARCHAR) FROM range(1000000000))",
    "profiling": "(SELECT count(*) FROM enable_profiling(format := 'json', save_location := '{outside}/package.json'))",
    "logging": "(SELECT count(*) FROM enable_logging(storage_path := '{outside}/log.csv'))",
}


def _special(kind: str, name: str) -> Spoil:
    def put(ground: Ground) -> Path:
        path = ground.store / NAMES[name]
        path.unlink(missing_ok=True)
        _SPECIAL[kind](path, ground.outside)
        return path

    return put


def _socket(path: Path, _outside: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket must be short
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


_SPECIAL: dict[str, Callable[[Path, Path], None]] = {
    "a link": lambda path, outside: path.symlink_to(outside / "key.bin"),
    "a link to nothing": lambda path, outside: path.symlink_to(outside / "new"),
    "a link to a folder": lambda path, outside: path.symlink_to(outside),
    "a link to itself": lambda path, _outside: path.symlink_to(path.name),
    "a hard link": lambda path, outside: os.link(outside / "key.bin", path),
    "a FIFO": lambda path, _outside: os.mkfifo(path),
    "a folder": lambda path, _outside: (path / "inner").mkdir(parents=True),
    "a socket": _socket,
}
if sys.platform == "linux" and os.geteuid() == 0:
    _SPECIAL["a device"] = lambda path, _outside: os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))


def _statement(sql: str) -> Spoil:
    def put(ground: Ground) -> Path:
        path = ground.store / NAMES["session"]
        shutil.copy(next(iter(sorted(ground.store.glob("*.duckdb")))), path)
        with duckdb.connect(str(path)) as connection:
            connection.execute(sql.replace("{victim}", str(ground.outside / "package.json")))
        return path

    return put


def _view(text: str, table: str) -> Spoil:
    def put(ground: Ground) -> Path:
        path = ground.store / NAMES["session"]
        shutil.copy(next(iter(sorted(ground.store.glob("*.duckdb")))), path)
        column = "label" if table == "session" else "name"
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"ALTER TABLE {table} RENAME TO original")
            expression = text.replace("{outside}", str(ground.outside))
            connection.execute(
                f"CREATE VIEW {table} AS SELECT * REPLACE (CAST({expression} AS VARCHAR) AS {column}) FROM original"
            )
        return path

    return put


def _text_everywhere(text: str) -> Spoil:
    """A session whose names and texts are `text`."""

    def put(ground: Ground) -> Path:
        made = make_session(ground.store, at=9, label=text, note=text, command=f"pytest {text}", project=text)
        with duckdb.connect(str(made.path)) as connection:
            value = text.replace("'", "''")
            connection.execute(f"UPDATE benchmark SET name = '{value}', fullname = '{value}'")
            connection.execute(f"UPDATE run SET reason = '{value}'")
        return made.path

    return put


def _garbage(name: str, data: bytes) -> Spoil:
    def put(ground: Ground) -> Path:
        path = ground.store / NAMES[name]
        path.write_bytes(data)
        return path

    return put


def _all() -> Iterator[tuple[str, Spoil]]:
    for kind in _SPECIAL:
        for name in NAMES:
            yield f"{kind} as {name}", _special(kind, name)
    for what, statement in STATEMENTS.items():
        yield what, _statement(statement)
    for what, text in READS.items():
        if duckdb.__version__ >= "2" or what not in {"profiling", "logging"}:
            for table in ("session", "benchmark", "meta"):
                if table != "meta":
                    yield f"a view of {what} for {table}", _view(text, table)
    for what, text in {
        "escapes": "\x1b[2J\x1b]0;owned\x07\u202e",
        "quotes": "'\"`$(touch owned);",
        "long": "x" * 9999,
    }.items():
        yield f"{what} everywhere", _text_everywhere(text)
    for name in ("session", "journal", "history", "lock"):
        yield f"zeros as {name}", _garbage(name, b"\x00" * 4096)
        yield f"lines as {name}", _garbage(name, b'{"k":"session"}\n' * 50 + b"[" * 100_000)


SPOILS: dict[str, Spoil] = dict(_all())

COMMANDS: dict[str, Sequence[Sequence[str]]] = {
    "report": [("report", "--db", "{db}"), ("report", "--db", "{db}", "-f", "csv"), ("report", "--db", "{bad}")],
    "compare": [("compare", "latest~1", "latest", "--db", "{db}"), ("compare", "file:{bad}", "--db", "{db}")],
    "regress": [("regress", "--db", "{db}"), ("regress", "--db", "{db}", "--confirm", "0", "-f", "junit")],
    "trend": [("trend", "--db", "{db}")],
    "matrix": [("matrix", "--db", "{db}"), ("matrix", "--db", "{db}", "-f", "html"), ("matrix", "--db", "{bad}")],
    "noise": [("noise", "--db", "{db}")],
    "duet": [("duet", "file:{bad}", "--db", "{db}")],
    "correlate": [("correlate", "--db", "{db}")],
    "predict": [("predict", "--db", "{db}")],
    "baseline": [("baseline", "list", "--db", "{db}"), ("baseline", "set", "x", "latest", "--db", "{bad}")],
    "accept": [
        ("accept", "test_*", "--reason", "x", "--db", "{db}"),
        ("accept", "test_*", "--reason", "x", "--db", "{bad}"),
    ],
    "note": [("note", "latest", "x", "--db", "{db}"), ("note", "latest", "x", "--db", "{bad}")],
    "init": [("init", "--sample-data", "--db", "{db}"), ("init", "--sample-data", "--db", "{bad}")],
    "import": [("import", "auto", "{db}", "--db", "other"), ("import", "auto", "{bad}", "--db", "{db}")],
    "export": [("export", "jsonl", "--db", "{db}"), ("export", "csv", "{bad}"), ("export", "csv", "-o", "{bad}")],
    "sessions": [("sessions", "--db", "{db}"), ("sessions", "{bad}"), ("sessions", "--db", "{db}", "-f", "json")],
    "show": [("show", "latest", "--db", "{db}"), ("show", "latest", "--db", "{bad}")],
    "query": [("query", "SELECT * FROM session", "--db", "{db}"), ("query", "SELECT * FROM report", "--db", "{bad}")],
    "site": [("site", "--db", "{db}", "-o", "site"), ("site", "--db", "{bad}", "-o", "site")],
    "env": [("env", "--db", "{db}"), ("env", "--db", "{bad}")],
    "schema": [("schema", "--db", "{db}"), ("schema", "--db", "{bad}")],
    "merge": [
        ("merge", "{db}", "-o", "merged.duckdb"),
        ("merge", "{bad}", "-o", "merged"),
        ("merge", "{db}", "-o", "{bad}"),
    ],
    "recover": [("recover", "{db}"), ("recover", "{bad}")],
    "peaks": [("peaks", "--help")],
    "completion": [("completion", "bash")],
    "fit": [("fit", "--over", "n", "--db", "{db}"), ("fit", "--over", "n", "--db", "{bad}")],
    "exclude": [
        ("exclude", "--list", "--db", "{db}"),
        ("exclude", "latest", "--reason", "x", "--db", "{db}"),
        ("exclude", "latest", "--reason", "x", "--db", "{bad}"),
    ],
    "sql": [("sql", "{db}"), ("sql", "{bad}")],
    "validate": [("validate", "{db}"), ("validate", "{bad}", "--fix"), ("validate", "{db}", "--fix")],
    "optimize": [("optimize", "{db}"), ("optimize", "{bad}")],
    "migrate": [("migrate", "{db}"), ("migrate", "{bad}")],
    "backup": [("backup", "copies", "--db", "{db}"), ("backup", "copies", "--db", "{bad}"), ("backup", "{bad}")],
    "restore": [("restore", "copies", "--db", "restored"), ("restore", "{bad}", "--db", "restored")],
    "prune": [("prune", "--keep-last", "1", "--db", "{db}"), ("prune", "--keep-last", "1", "--db", "{bad}")],
    "rm": [("rm", "latest", "--dry-run", "--db", "{db}"), ("rm", "latest", "--db", "{bad}")],
    "clean-sources": [("clean-sources", "{db}", "--delete", "--older-than", "0", "--db", "{db}")],
    "doctor": [("doctor", "{db}"), ("doctor", "{bad}")],
    "count": [("count", "--db", "{db}"), ("count", "--db", "{bad}")],
    "run": [("run", "-r", "1", "--db", "{db}", "--", "true"), ("run", "-r", "1", "--db", "{bad}", "--", "true")],
    "backfill": [("backfill", "HEAD~1..HEAD", "--dry-run", "--db", "{db}", "--", "pytest", "tests")],
    "bisect": [
        ("bisect", "HEAD~1", "HEAD", "--db", "{db}", "--", "pytest", "tests"),
        ("bisect", "--from-trend", "--db", "{db}", "--", "pytest", "tests"),
        ("bisect", "--from-trend", "--db", "{bad}", "--", "pytest", "tests"),
    ],
    "plot": [
        ("plot", "trend", "--db", "{db}", "-o", "plot.svg"),
        ("plot", "compare", "latest~1", "latest", "--db", "{db}", "-o", "plot.svg"),
        ("plot", "distribution", "{bad}", "-o", "plot.svg"),
        ("plot", "power", "--db", "{db}", "-o", "{bad}"),
    ],
    "explain": [("explain", "latest~1", "latest", "--db", "{db}"), ("explain", "file:{bad}", "latest", "--db", "{db}")],
}
"""Every command, and how it meets the store and the file; ``{db}`` is the folder, ``{bad}`` the file."""


class TooSlow(BaseException):
    """A command took longer than `LONGEST_S`; a `BaseException`, so that no command catches it."""


@contextmanager
def limited(what: str) -> Iterator[None]:
    """Fail what takes longer than `LONGEST_S`."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"{what} took longer than {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _digest(path: Path) -> str:
    if path.is_symlink():
        return str(path.readlink())
    return hashlib.sha256(path.read_bytes()).hexdigest() + oct(path.stat().st_mode)
