"""`benchdb site`: the history as a static site, for GitHub Pages or an artifact of CI."""

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pytest_benchdb.cli.frame import options
from pytest_benchdb.cli.frame.candidates import complete_paths
from pytest_benchdb.cli.frame.command import Call
from pytest_benchdb.cli.frame.output import command_feedback
from pytest_benchdb.errors import ConfigError
from pytest_benchdb.model.wording import counted
from pytest_benchdb.operations.history.trend import TrendRequest
from pytest_benchdb.operations.site.build import SiteRequest, build_site
from pytest_benchdb.operations.site.folder import open_folder, write_site

SESSION_PAGES, SESSIONS = 20, 1000

_HELP = f"""Write the history as a static site: a page for each benchmark, changes, sessions, and what works where.

SPEC is a file or folder of sessions. The site opens from disk, from GitHub Pages or from an artifact of CI: it needs no
server and loads nothing from elsewhere. DIR also gets feed.xml, an Atom feed of changes for the worse, and badge.svg.

A second run into the same DIR writes only what has changed, and reads only the benchmarks with a new session. Addresses
stay the same. Files that benchdb site did not write are neither replaced nor removed.

Without --since, --until and --last the newest {SESSIONS} sessions are followed.

Example: benchdb site -o public --title "Benchmarks of yarl"
"""


@click.command("site", context_settings=options.CONTEXT, help=_HELP)
@options.database_option
@options.specs_argument
@click.option(
    "-o", "--output", "folder", metavar="DIR", required=True, shell_complete=complete_paths, help="Folder of the site."
)
@click.option("--title", metavar="TEXT", help="Title of the site. Default: Benchmarks of the project.")
@click.option("--url", metavar="URL", default="", help="Address at which the site will be, for links in the feed.")
@click.option("--branch", metavar="NAME", help="Only sessions of this branch.")
@click.option(
    "-k", "keyword", metavar="EXPR", help="Only benchmarks whose full name matches, as with pytest: -k 'not slow'."
)
@options.session_options
@click.option(
    "--session-pages",
    metavar="N",
    type=click.IntRange(min=0),
    default=SESSION_PAGES,
    help=f"Pages for the newest N sessions [{SESSION_PAGES}]; those that have a page keep it.",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing.")
@click.option("--no-progress", is_flag=True, help="Show no progress bars.")
def command(**params: Any) -> None:
    """Read what has changed, and write it."""
    from pytest_benchdb.present.site.site import known_rows, made_by, site_files

    call = Call(params)
    title, url = params["title"], _address(params["url"])
    if not (params["since"] or params["until"] or params["last"]):
        call = Call({**params, "last": SESSIONS})
    folder = open_folder(Path(params["folder"]))
    rows = known_rows(folder.rows)
    benchmarks = {name: digest for name, digest in folder.known.benchmarks.items() if name in rows}
    selection = call.selection(params["specs"])
    request = SiteRequest(
        histories=TrendRequest(root=Path.cwd(), environ=os.environ, branch=params["branch"]),
        session_pages=params["session_pages"],
        known=replace(folder.known, benchmarks=benchmarks),
        made_by=made_by(title or "", url),
    )
    with command_feedback(call.output, "Reading new sessions") as feedback:
        content, matrix = build_site(selection, request, feedback=feedback)
    title = title or f"Benchmarks of {content.sessions[-1].project}"
    site = site_files(content, matrix, rows, title=title, url=url)
    done = write_site(folder, site.files, site.kept, site.entries)
    removed = f", {done.removed} removed" if done.removed else ""
    call.output.say(
        f"{folder.path}: {counted(len(content.benchmarks), 'benchmark')}, {counted(len(content.sessions), 'session')}, "
        f"{site.state}; {counted(done.written, 'file')} written, {done.unchanged} unchanged{removed}"
    )


def _address(text: str) -> str:
    """Return the address of a site with a slash at its end.

    Raises:
        ConfigError: it is not one.
    """
    if not text:
        return ""
    if not re.fullmatch(r"https?://[^\s\"'<>?#]+", text, re.ASCII):
        raise ConfigError(f"--url {text}: give the address of the site, as in --url https://me.github.io/project/")
    return f"{text.rstrip('/')}/"
