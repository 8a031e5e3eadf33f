"""The rules that turn the values of sessions into verdicts, and what they measure changes by.

Change points and trends over a whole history are in `series`.
"""
