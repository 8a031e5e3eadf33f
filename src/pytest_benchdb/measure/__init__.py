"""What is read at the two ends of a timed block, with nothing running beside it.

Where the readings come from (man pages of Linux; the kernel's `Documentation/filesystems/proc.rst`):

- wall, process and thread CPU time: `time.perf_counter_ns`, `process_time_ns`, `thread_time_ns`.
- faults and context switches: `getrusage(2)`.
- peak resident set: "5" written to ``/proc/self/clear_refs`` sets the high-water mark back,
  ``VmHWM`` of ``/proc/self/status`` tells it afterwards (`proc_pid_clear_refs(5)`, `proc_pid_status(5)`).
- resident set before the block: ``/proc/self/statm``.
- steal: the eighth number of the first line of ``/proc/stat`` (`proc_stat(5)`), in ticks of 10 ms.
"""
