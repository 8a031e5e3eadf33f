"""Resource usage of this process at both ends of a timed block, and the memory pass.

Sources of the readings at both ends (Linux man pages; the kernel's `Documentation/filesystems/proc.rst`):

- wall, process and thread CPU time: `time.perf_counter_ns`, `process_time_ns`, `thread_time_ns`.
- faults and context switches: `getrusage(2)`.
- peak resident set: writing "5" to ``/proc/self/clear_refs`` resets the high-water mark, ``VmHWM`` in
  ``/proc/self/status`` (`proc_pid_clear_refs(5)`, `proc_pid_status(5)`).
- resident set before the block: ``/proc/self/statm``.
- steal: the eighth number of the first line of ``/proc/stat`` (`proc_stat(5)`), in ticks of 10 ms.
"""
