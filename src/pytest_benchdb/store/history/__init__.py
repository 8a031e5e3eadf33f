"""Many sessions as one history: folders of session files, single files with an inbox, merging, annotating, importing.

`journal.fold` writes the file of one session; `read` queries an open history.
"""
