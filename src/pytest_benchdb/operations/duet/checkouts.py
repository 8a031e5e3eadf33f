"""Check out the sides of a duet."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_benchdb.environment.git.worktree import find_commit, has_changes
from pytest_benchdb.operations.commits.checkout import SHORT, find_origin, open_commit
from pytest_benchdb.operations.duet.plan import Role, SideRequest

WORKING_TREE = "working tree"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSide:
    """A side that is ready to run.

    Attributes:
        root: top folder of its checkout.
        folder: where pytest runs: the counterpart of the user's working folder in `root`.
        checkout: top folder of the user's checkout, whose code this side must not import; None if it may.
    """

    role: Role
    name: str
    program: tuple[str, ...]
    root: Path
    folder: Path
    checkout: Path | None


@contextlib.contextmanager
def open_sides(
    base: SideRequest, head: SideRequest, folder: Path, environ: Mapping[str, str], say: Callable[[str], None]
) -> Iterator[dict[Role, OpenSide]]:
    """Check out the commits of both sides; the checkouts are removed with the block.

    Args:
        base: the baseline.
        head: the candidate.
        folder: the user's working folder.
        environ: environment variables for git.
        say: called with one line per warning.

    Raises:
        ConfigError: there is no checkout or no such commit, or the commit lacks the working folder.
    """
    if base.commit is None and head.commit is None:
        yield {"base": _here("base", base, folder), "head": _here("head", head, folder)}
        return
    origin = find_origin(folder, environ)
    checkout = origin.checkout
    hashes: dict[str | None, str] = {
        request.commit: find_commit(checkout, request.commit, environ)
        for request in (base, head)
        if request.commit is not None
    }
    if None in {base.commit, head.commit}:
        if has_changes(checkout, environ):
            say(f"the {WORKING_TREE} has changes that are not committed; they are measured as they are")
    elif hashes[base.commit] == hashes[head.commit] and base.program == head.program:
        say("both sides are the same commit: what differs is the noise of this machine")
    with contextlib.ExitStack() as stack:
        temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchdb-duet-")))
        sides: dict[Role, OpenSide] = {}
        requests: tuple[tuple[Role, SideRequest], ...] = (("base", base), ("head", head))
        for role, request in requests:
            if request.commit is None:
                sides[role] = _here(role, request, folder, root=checkout)
                continue
            place = temporary / role
            place.mkdir()
            sha = hashes[request.commit]
            commit = stack.enter_context(open_commit(origin, sha, place, say, name=request.commit))
            sides[role] = OpenSide(
                role=role,
                name=_name(request, sha),
                program=request.program,
                root=commit.root,
                folder=commit.folder,
                checkout=checkout,
            )
        yield sides


def _here(role: Role, request: SideRequest, folder: Path, *, root: Path | None = None) -> OpenSide:
    return OpenSide(
        role=role,
        name=request.name or WORKING_TREE,
        program=request.program,
        root=root or folder,
        folder=folder,
        checkout=root,
    )


def _name(request: SideRequest, sha: str) -> str:
    commit = str(request.commit)
    name = commit if sha.startswith(commit) else f"{commit} ({sha[:SHORT]})"
    return f"{name}, {request.name}" if request.name else name
