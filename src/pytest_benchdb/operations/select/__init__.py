"""The sessions, runs and series that users select: SPECs, filters, and one `Selection` for every command that reads.

What is done with them is in the other rooms; how a history is opened is in `exchange`.
"""
