"""Selecting sessions, runs and series: SPECs, filters, and the `Selection` that every reading command uses.

The other rooms work on what is selected; `exchange` opens histories.
"""
