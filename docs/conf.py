"""How Sphinx builds these pages: ``sphinx-build -n -W docs docs/_build/html``."""

from pytest_benchdb import __version__

project = "pytest-benchdb"
author = "The pytest-benchdb developers"
project_copyright = f"2026, {author}"
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"{project} {release}"

myst_heading_anchors = 4
myst_enable_extensions = ["deflist"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

# Builds have no network, so there is no inventory of other projects to link to. Names of ours must resolve.
nitpick_ignore_regex = [
    (r"py:.*", r"(?!pytest_benchdb\b).*"),
    (r"py:.*", r"pytest_benchdb\.(model|operations|errors)\..*"),  # types that the API page names but does not list
]
