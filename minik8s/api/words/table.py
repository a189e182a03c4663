"""The form of a table of words: type → {"": what it is, field: what it means}. A field has its name on the wire."""

import msgspec

Words = dict[type[msgspec.Struct], dict[str, str]]
