"""The kinds of `benchdb report` beside the summary: each becomes sheets, which every format writes."""
