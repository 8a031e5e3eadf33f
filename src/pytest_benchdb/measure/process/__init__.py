"""What the kernel says about this process: usage at the two ends of a timed block, and the memory pass.

Where the readings at both ends come from (man pages of Linux; the kernel's `Documentation/filesystems/proc.rst`):

- wall, process and thread CPU time: `time.perf_counter_ns`, `process_time_ns`, `thread_time_ns`.
- faults and context switches: `getrusage(2)`.
- peak resident set: "5" written to ``/proc/self/clear_refs`` resets the high-water mark, which is ``VmHWM`` of
  ``/proc/self/status`` (`proc_pid_clear_refs(5)`, `proc_pid_status(5)`).
- resident set before the block: ``/proc/self/statm``.
- steal: the eighth number of the first line of ``/proc/stat`` (`proc_stat(5)`), in ticks of 10 ms.
"""
