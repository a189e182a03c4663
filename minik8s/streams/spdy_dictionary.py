"""The words that both sides of SPDY/3.1 know before they begin, so that the first headers are short already.

zlib refers back to bytes that it has seen; with a dictionary it has "seen" these before the first byte. The words and
their order are the protocol's, and one byte more or less makes every header block unreadable: a test holds the sum.
Read next: spdy.py.
"""

import struct

# Each stands there as in a header block, with its length before it.
_LOWER_CASE = """
options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow
authorization cache-control connection content-base content-encoding content-language content-length content-location
content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match
if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range
referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get
status
"""
_WORDS = _LOWER_CASE.split()
_MORE_WORDS = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")

# Then plain text: values that are likely to come.
_CODES = (
    "100 101 201 202 205 206 300 302 303 304 305 306 307 402 405 406 407 408 409 410 411 412 413 414 415 416 417 502 "
    "504 505"
).replace(" ", "")
_ANSWERS = (
    "203 Non-Authoritative Information",
    "204 No Content",
    "301 Moved Permanently",
    "400 Bad Request",
    "401 Unauthorized",
    "403 Forbidden",
    "404 Not Found",
    "500 Internal Server Error",
    "501 Not Implemented",
    "503 Service Unavailable",
)
_DATES = "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
_TYPES = (
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,"
)
_REST = ("public", "private", "max-age=", "gzip,deflate,sdch", "charset=utf-8", "charset=iso-8859-1,utf-,*,enq=0.")

DICTIONARY = b"".join(
    (
        *(struct.pack(">I", len(word)) + word.encode() for word in (*_WORDS, *_MORE_WORDS)),
        *(text.encode() for text in (_CODES, *_ANSWERS, _DATES, _TYPES, *_REST)),
    )
)
