"""Encodings other than JSON that Kubernetes' clients speak, apart from the verbs so that those stay readable.

    protobuf.py     bodies that kubectl sends in protobuf → plain values
    numbers.py      which number of a field means what: the table that protobuf.py reads by

All of it is pure: bytes in, values out. Read `protobuf.py` first.
"""
