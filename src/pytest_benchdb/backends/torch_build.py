"""What a torch was built for, read from its ``version.py`` so that torch need not be imported for a refusal."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TOOLKITS = ("cuda", "hip", "xpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchBuild:
    """One build of torch.

    Attributes:
        version: as torch tells it, with its local part: ``2.13.0+cpu``.
        toolkits: versions of the toolkits (``cuda``, ``hip``, ``xpu``) that it was built with; None for one that
            it says it was built without. A toolkit that it says nothing of is absent: older torches know no ``xpu``.
    """

    version: str
    toolkits: Mapping[str, str | None]

    @property
    def versions(self) -> dict[str, str]:
        """Versions of torch and of its toolkits, by name."""
        return {"torch": self.version, **{name: text for name, text in self.toolkits.items() if text is not None}}


def parse_version(source: str) -> TorchBuild:
    r"""Return what the source of ``torch/version.py`` says.

    Raises:
        ValueError: it does not tell a version.

    >>> parse_version("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None").toolkits
    {'cuda': None}
    """
    told: dict[str, object] = {}
    for node in ast.parse(source).body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(value, ast.Constant):
            told.update({target.id: value.value for target in targets if isinstance(target, ast.Name)})
    return _build(told.get("__version__"), told)


def read_build(folder: Path) -> TorchBuild:
    """Return the build of the torch in a folder.

    Raises:
        OSError: it cannot be read.
        ValueError: it does not tell a version.
    """
    return parse_version((folder / "version.py").read_text(encoding="utf-8"))


def build_of(torch: Any) -> TorchBuild:
    """Return the build of a torch that has been imported.

    Raises:
        ValueError: it does not tell a version.
    """
    return _build(torch.__version__, vars(torch.version))


def _build(version: object, told: Mapping[str, object]) -> TorchBuild:
    if version is None:
        raise ValueError("torch/version.py tells no version")
    toolkits = {name: None if told[name] is None else str(told[name]) for name in _TOOLKITS if name in told}
    return TorchBuild(version=str(version), toolkits=toolkits)
