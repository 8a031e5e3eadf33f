"""What a session begins with: the machine, the project and the facts that the suite adds.

PYTEST_DONT_REWRITE
"""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_benchdb.environment.toml_files import project_name
from pytest_benchdb.measure.process.block_usage import BlockProbe
from pytest_benchdb.model.environment import SessionStart
from pytest_benchdb.model.json_value import json_value
from pytest_benchdb.operations.record import Context, start_session
from pytest_benchdb.plugin.settings import Settings


def begin_session(config: pytest.Config, settings: Settings, root: Path, probe: BlockProbe) -> SessionStart:
    """Read the machine, the commit and the suite's own facts."""
    return start_session(
        Context(
            root=root,
            environ=os.environ,
            argv=["pytest", *config.invocation_params.args],
            project=settings.project or project_name(root) or project_name(config.rootpath),
            label=settings.label,
            tags={**_rank_tags(os.environ), **settings.tags},
            note=settings.note,
            suite=_suite_facts(config),
            unmeasured=probe.unmeasured(),
        )
    )


def _rank_tags(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a session that torchrun started as one of several."""
    if "RANK" not in environ:
        return {}
    from pytest_benchdb.measure.distributed.ranks import rank_of, rank_tags

    info = rank_of(environ)
    return {} if info is None else rank_tags(info)


def project_root(rootpath: Path) -> Path:
    """Return the root of the working copy, or pytest's root outside of one."""
    return next((folder for folder in (rootpath, *rootpath.parents) if (folder / ".git").exists()), rootpath)


def _suite_facts(config: pytest.Config) -> dict[str, object]:
    facts: dict[str, object] = {}
    hook = config.hook.pytest_benchdb_environment
    for answer in hook(config=config) if hook.get_hookimpls() else ():
        if isinstance(answer, Mapping):
            facts.update({str(key): json_value(value) for key, value in answer.items()})
    return facts
