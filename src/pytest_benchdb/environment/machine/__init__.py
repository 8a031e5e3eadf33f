"""The machine: processor, memory, operating system, limits of containers, load."""
