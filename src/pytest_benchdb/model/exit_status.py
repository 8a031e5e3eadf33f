"""Exit statuses of `benchdb`; 1 is reserved for a failed gate."""

from collections.abc import Mapping
from types import MappingProxyType

FINE = 0
GATE_FAILED = 1
USAGE = 2
NO_BASELINE = 3
UNDECIDED = 4
DATABASE = 5
NOT_AS_DOCUMENTED = 6
INTERNAL = 70
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
BROKEN_PIPE = 141  # 128 + SIGPIPE; not 1, which would read as a failed gate

MEANINGS: Mapping[int, str] = MappingProxyType(
    {
        FINE: "fine; a gate passed, or had too little to judge",
        GATE_FAILED: "a gate failed: something regressed, or a benchmark fails that passed before; of "
        "`benchdb run`, a command failed",
        USAGE: "wrong usage: an option, an argument or a setting",
        NO_BASELINE: "nothing to compare, where something was required, or a missing benchmark under `--missing fail`",
        UNDECIDED: "undecided: most of the suite became slower alike, or a check that `--confirm-by` names could not "
        "settle a suspect; under `--strict` also a result that could not be judged on a disturbed machine, or a limit "
        "of nothing that was measured",
        DATABASE: "the database: missing, locked, foreign, corrupt or newer",
        NOT_AS_DOCUMENTED: "a device is not as documented: a claim that `benchdb doctor --device` checks does not hold",
        INTERNAL: "an internal error: never a bare traceback, which would end with 1 and read as a failed gate",
        INTERRUPTED: "interrupted with Ctrl-C",
        BROKEN_PIPE: "the reader of a pipe closed it",
    }
)
"""The meaning of each status, in numerical order."""
