"""The machine: processor, memory, operating system, container limits, load."""
