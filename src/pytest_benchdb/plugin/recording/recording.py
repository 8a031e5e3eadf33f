"""What recording begins with: the machine and the project; and what a worker is told of them.

PYTEST_DONT_REWRITE
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_benchdb.environment.toml_files import project_name
from pytest_benchdb.measure.process.block_usage import BlockProbe
from pytest_benchdb.model.json_value import json_value
from pytest_benchdb.model.session import SessionStart
from pytest_benchdb.operations.record import Context, start_session
from pytest_benchdb.plugin.recording.identity import Identifier
from pytest_benchdb.plugin.recording.watcher import Process, TestWatcher
from pytest_benchdb.plugin.settings import Settings

WORKER_KEY = "benchdb"
"""Where the controller tells its workers what they need to know."""


def worker_watcher(settings: Settings, told: Mapping[str, Any]) -> TestWatcher:
    """Return the watcher of an xdist worker, which sends what it sees with its reports."""
    return TestWatcher(
        Identifier(told["project"], Path(told["root"])),
        BlockProbe(),
        settings,
        Process(
            append=None,
            attachments=Path(told["attachments"]),
            worker=told["worker"],
            device_id=told["device_id"],
        ),
    )


def begin(config: pytest.Config, settings: Settings, root: Path, probe: BlockProbe) -> SessionStart:
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
    for told in hook(config=config) if hook.get_hookimpls() else ():
        if isinstance(told, Mapping):
            facts.update({str(key): json_value(value) for key, value in told.items()})
    return facts
