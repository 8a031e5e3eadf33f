"""Many sessions as one history: folders of session files, single files with an inbox, merging, annotating, importing.

One session becomes a file in `fold`; queries on an open history are in `read`.
"""
