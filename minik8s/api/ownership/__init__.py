"""Who set which field: what `metadata.managedFields` says, and server-side apply, which rests on it. Pure.

Each manager (a name, how it writes, through which subresource) owns a set of fields. A create, update or patch makes
its author the owner of what it changed, and takes that from everybody else. An *apply* states everything that its
author wants to own: what it states is merged into the object, what it no longer states goes unless somebody else owns
it, and changing what somebody else owns is a conflict, unless forced.

    fieldset.py   a set of fields as the wire has it (fieldsV1), and its algebra
    walk.py       an object → the fields it has; two objects → the fields that differ
    merge.py      the object of an apply: merge what is stated, prune what was given up
    managers.py   the list in managedFields: after an update, after an apply, conflicts
    paths.py      a field as people read it: .spec.containers[name="c"].image

Source: KEP-555; the format is that of structured-merge-diff. Read `fieldset.py` first.
"""
