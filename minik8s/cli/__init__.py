"""The `minik8s` command: what people type.

One file for each group of verbs; `main.py` knows which verb is in which file, and imports a file only when one of its
verbs is used, because a command that starts slowly is not used. Reads and writes nothing itself: verbs on objects go
through `client/`, verbs on the cluster through `cluster/`. Output is kubectl's own wording where kubectl has it; hints
go to stderr.

Read first: `main.py`, then `cluster.py`.
"""
