"""Jobs: Pods until enough of them have succeeded.

Reads Jobs and Pods; writes Pods and the Job's status, and deletes Jobs whose time after the end is over. A Pod that has
ended must be counted before it may vanish: it carries a finalizer until the Job's status knows of it.

Read `counting.py` (what has ended, each Pod counted once), `making.py` (which Pods now), `ending.py` (is it over, and
how), then `plan.py`. Source: Kubernetes' job controller.
"""
