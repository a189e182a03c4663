"""The store: etcd, and a cache of what is in it.

Everything the cluster knows is kept in etcd as `key -> bytes`, and every change has a *revision*: one number that
grows with each write to any key. Kubernetes shows it as `resourceVersion`. Four ideas carry the rest of the house:

* **Reading at a revision**: a list is a picture of one moment, however many pages it takes.
* **Guarded transactions**: "store these keys, if that one is still absent and this one unchanged". Either all of it
  happens or nothing does. There is no other kind of write.
* **Watching from a revision**: list at 40, watch from 40, and no change is missed or seen twice.
* **Compaction**: etcd forgets old revisions. Whoever wants to watch from a forgotten one is told so, and lists again.

Only `apiserver/` may import this package. Read `model.py` first (the words), then `etcd.py` (the door to etcd), then
`cache.py` (what answers the reads). `find.py` says which etcd is run, `loader.py` how its client library is brought up.
"""
