"""Protocol crust: Kubernetes' own descriptions and encodings of what `api/` holds as types.

Apart from the verbs, so that those stay readable, and pure: bytes or types in, values or bytes out. Nothing in here
decides anything about an object.

What comes in:

    protobuf.py     bodies that kubectl sends in protobuf → plain values
    numbers.py      which number of a field means what: the table that protobuf.py reads by
    yamltext.py     bodies in YAML, such as an apply may have → plain values

What we say of ourselves, derived from the types, the table of kinds and `api/words`, so that a new kind or field needs
no line here. kubectl reads it before it dares to write, and `kubectl explain` shows it to people:

    schemas.py      a type → its schema, under the name that upstream gave it
    operations.py   a kind → what can be asked of it, at which path, with which answers
    openapi.py      both as documents: OpenAPI v3, one for each group and version, behind an index of hashes
    swagger.py      the same in OpenAPI v2, one for everything; gnostic.py writes it as protobuf

Read them in this order.
"""
