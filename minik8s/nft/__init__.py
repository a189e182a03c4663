"""A netfilter rule set as a value: say what should be there, see what that means, hand the difference to the kernel.

The kernel's packet filter speaks text. This package gives that text a shape that Python can compare, walk and print:

- `ruleset.py`: a table with its chains, rules, sets and maps, as plain values; and their exact, readable text. Read
  this first.
- `changes.py`: two such values in, the small transaction between them out, with deletions in the order the kernel
  insists on.
- `parse.py`: the kernel's listing back to the value.
- `walk.py`: one packet's path through the value, rule by rule, without a kernel. Tests and `trace` use the same walker.
- `kernel.py`: the only file that touches the kernel: libnftables in this process, conntrack, generation events.
- `fake.py`: a packet filter in memory that refuses what the kernel refuses, for tests.

Nothing here knows what a Service is; that is `proxy/`. Nothing here says "IPv4" where it means "an address".
"""
