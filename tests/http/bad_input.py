"""What people and programs send by mistake, a line a case: the request, and words of what they are told.

Not here: what is done with them (test_bad_input.py).
"""

import json
from typing import Any

ACCOUNT = "/v1/accounts/target"
USE, GRANT, NEW, HISTORY = f"{ACCOUNT}/consume", f"{ACCOUNT}/grants", "/v1/accounts", f"{ACCOUNT}/transactions"
GOOD: dict[str, dict[str, Any]] = {
    USE: {"feature": "video"},
    GRANT: {"amount": 1, "reason": "a gift"},
    NEW: {"account_id": "another"},
}
LONG = "x" * 10_000

# What a body as a whole can be beside a JSON object: (its bytes, words of the detail).
BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "is empty"),
    "white space": (b" \n\t ", "is empty"),
    "half an object": (b'{"feature": "video"', "is not valid JSON: Expecting ',' delimiter, line 1, column 20"),
    "one quote too few": (b'{"feature": "video}', "is not valid JSON: Unterminated string"),
    "single quotes": (b"{'feature': 'video'}", "is not valid JSON: Expecting property name"),
    "a comma too many": (b'{"feature": "video",}', "is not valid JSON"),
    "two objects": (b'{"feature": "video"}{}', "is not valid JSON: Extra data"),
    "a form": (b"feature=video&amount=1", "is not valid JSON"),
    "a list": (b'["feature", "video"]', 'is not an object: ["feature", "video"]'),
    "an empty list": (b"[]", "is not an object: []"),
    "text": (b'"feature"', 'is not an object: "feature"'),
    "a number": (b"6", "is not an object: 6"),
    "null": (b"null", "is not an object: null"),
    "true": (b"true", "is not an object: true"),
    "no JSON number": (b"NaN", "is not valid JSON"),
    "deep lists": (b"[" * 100_000, "is not an object"),
    "deep objects": (b'{"metadata":' * 100_000, "Send a JSON object"),
    "deep metadata": (b'{"feature":"video","metadata":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "is nested too deep"),
    "no UTF-8": (b'{"feature": "vid\xffo"}', "is not UTF-8 (byte 16)"),
    "a raw surrogate": (b'{"feature": "\xed\xa0\x80"}', "is not UTF-8 (byte 13)"),
    "UTF-16": ('{"feature": "video"}'.encode("utf-16"), "is not UTF-8 (byte 0)"),
    "a byte order mark": (b'\xef\xbb\xbf{"feature": "video"}', "is not valid JSON"),
    "a line break in a text": (b'{"feature": "vi\ndeo"}', "is not valid JSON: Invalid control character"),
    "a NUL between": (b'{"feature":\0"video"}', "is not valid JSON"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is not UTF-8 (byte 0)"),
}

# What a field can hold beside what it takes: (path, field, its JSON, words of the detail).
FIELDS: list[tuple[str, str, str, str]] = [
    (USE, "feature", "7", 'feature: 7 is not text. Send a string in quotes, like "text".'),
    (USE, "feature", "null", "feature: null is not text."),
    (USE, "feature", "true", "feature: true is not text."),
    (USE, "feature", '["video"]', 'feature: ["video"] is not text.'),
    (USE, "feature", '{"name": "video"}', 'feature: {"name": "video"} is not text.'),
    (USE, "feature", '""', "feature: is empty. Send 1 to 63 characters."),
    (USE, "feature", '"cinema"', "feature: 'cinema' is not in the catalog. It has: interior, exterior, "),
    (USE, "feature", '"Video"', "feature: 'Video' is not in the catalog."),
    (USE, "feature", '"video "', "feature: 'video ' is not in the catalog."),
    (USE, "feature", f'"{LONG}"', "feature: has 10000 characters. Send at most 63."),
    (USE, "feature", r'"vid\u0000eo"', "feature: 'vid\\x00eo' has a control character"),
    (USE, "feature", r'"\ud800"', "feature: has a lone surrogate, half of a character. Remove it."),
    (
        USE,
        "generation_id",
        "7",
        'generation_id: 7 is not text. Send a string in quotes, like "text", or leave the field',
    ),
    (USE, "generation_id", '""', "generation_id: is empty. Send 1 to 255 characters."),
    (USE, "generation_id", f'"{LONG}"', "generation_id: has 10000 characters. Send at most 255."),
    (USE, "generation_id", r'"a\u0000"', "generation_id: 'a\\x00' has a control character"),
    (USE, "generation_id", r'"\udfff\ud800"', "generation_id: has a lone surrogate"),
    (USE, "metadata", "[]", "metadata: is a JSON list. Send a JSON object."),
    (USE, "metadata", '"x"', "metadata: is a JSON str. Send a JSON object."),
    (USE, "metadata", "7", "metadata: is a JSON int. Send a JSON object."),
    (USE, "metadata", "false", "metadata: is a JSON bool. Send a JSON object."),
    (USE, "metadata", '{"a": 1, "b": 2, "a": 3}', "metadata: has the name 'a' twice. Send each name once."),
    (USE, "metadata", '{"a": {"b": 1, "b": 1}}', "metadata: has the name 'b' twice."),
    (USE, "metadata", r'{"a": 1, "\u0061": 2}', "metadata: has the name 'a' twice."),
    (USE, "metadata", r'{"a": "\u0000"}', "metadata: has a NUL or a lone surrogate. Remove it."),
    (USE, "metadata", r'{"\u0000": 1}', "metadata: has a NUL or a lone surrogate."),
    (USE, "metadata", r'{"a": ["\ud83d"]}', "metadata: has a lone surrogate, half of a character."),
    (USE, "metadata", '{"a": 1e999}', "metadata: cannot be written as JSON"),
    (USE, "metadata", '{"a": "' + "y" * 2**20 + '"}', "metadata: has 1048585 bytes. Send at most 16384."),
    (USE, "metadata", '{"a": "' + "y" * 16_377 + '"}', "metadata: has 16385 bytes. Send at most 16384."),
    (USE, "metadata", '{"a":' * 65 + "1" + "}" * 65, "metadata: is nested too deep. Send at most 64 levels."),
    (USE, "metadata", '{"a": ' + "9" * 5_000 + "}", "metadata: is not valid JSON"),
    (
        USE,
        "amount",
        "1",
        "amount: is not a field of this request. Leave it out; it takes: feature, generation_id, metadata.",
    ),
    (USE, "Feature", '"video"', "Feature: is not a field of this request."),
    (USE, "", "1", "is not a field of this request."),
    (USE, LONG, "1", "xxx...: is not a field of this request."),
    (
        GRANT,
        "amount",
        "true",
        "amount: true is not a whole number. Send one like 5, without quotes, point or exponent.",
    ),
    (GRANT, "amount", "false", "amount: false is not a whole number."),
    (GRANT, "amount", "null", "amount: null is not a whole number."),
    (GRANT, "amount", '"5"', 'amount: "5" is not a whole number.'),
    (GRANT, "amount", "[5]", "amount: [5] is not a whole number."),
    (GRANT, "amount", "1.0", "amount: 1.0 is not a whole number."),
    (GRANT, "amount", "1.5", "amount: 1.5 is not a whole number."),
    (GRANT, "amount", "1e3", "amount: 1000.0 is not a whole number."),
    (GRANT, "amount", "1e999", "amount: this value is out of range. Send a smaller number."),
    (GRANT, "amount", "0", "amount: 0 is out of range. Send an integer from 1 to 9007199254740991."),
    (GRANT, "amount", "-0", "amount: 0 is out of range."),
    (GRANT, "amount", "-1", "amount: -1 is out of range."),
    (GRANT, "amount", str(2**53), "amount: 9007199254740992 is out of range."),
    (GRANT, "amount", str(2**60), "amount: 1152921504606846976 is out of range."),
    (GRANT, "amount", str(2**64), "amount: 18446744073709551616 is out of range."),
    (GRANT, "amount", str(-(2**70)), "amount: -1180591620717411303424 is out of range."),
    (GRANT, "amount", "9" * 5_000, "amount: this value is out of range. Send a smaller number."),
    (GRANT, "amount", str(2**53 - 1), "amount: 9007199254740991 on top of 6 passes the limit of 9007199254740991."),
    (GRANT, "reason", "7", "reason: 7 is not text."),
    (GRANT, "reason", "null", "reason: null is not text."),
    (GRANT, "reason", '""', "reason: is empty. Send 1 to 1000 characters."),
    (GRANT, "reason", f'"{LONG}"', "reason: has 10000 characters. Send at most 1000."),
    (GRANT, "reason", r'"a\nb"', "reason: 'a\\nb' has a control character"),
    (GRANT, "category", '"gift"', "category: 'gift' is none of plan, signup, promo, refund, admin, paid."),
    (GRANT, "category", "1", "category: 1 is not text."),
    (GRANT, "priority", '"high"', 'priority: "high" is not a whole number. Send one like 5, without quotes, point or'),
    (GRANT, "priority", "-1", "priority: -1 is out of range."),
    (GRANT, "priority", "1001", "priority: 1001 is out of range. Send an integer from 0 to 1000."),
    (
        GRANT,
        "features",
        '"video"',
        'features: "video" is not a list. Send one in square brackets, like ["text"], or leave',
    ),
    (GRANT, "features", "[]", "features: is not a list of 1 to 100 features. Leave it out for all."),
    (GRANT, "features", '["video", "cinema"]', "feature: 'cinema' is not in the catalog."),
    (GRANT, "features", '[""]', "features: is empty."),
    (GRANT, "expires_at", '"tomorrow"', "expires_at: 'tomorrow' is not a time. Send one like 2026-01-31T09:30:00Z."),
    (GRANT, "expires_at", '""', "expires_at: '' is not a time."),
    (GRANT, "expires_at", "1893456000", "expires_at: 1893456000 is not text."),
    (
        GRANT,
        "expires_at",
        '"2999-01-01T00:00:00"',
        "expires_at: 2999-01-01T00:00:00 has no time zone. Add one, such as Z",
    ),
    (GRANT, "expires_at", '"2999-01-01"', "expires_at: 2999-01-01T00:00:00 has no time zone."),
    (GRANT, "expires_at", '"2999-02-30T00:00:00Z"', "expires_at: '2999-02-30T00:00:00Z' is not a time."),
    (GRANT, "expires_at", '"2001-01-01T00:00:00Z"', "expires_at: 2001-01-01T00:00:00.000000Z has passed."),
    (GRANT, "expires_at", '"1969-12-31T23:59:59Z"', "expires_at: 1969-12-31T23:59:59+00:00 is out of range."),
    (GRANT, "expires_at", '"99999-01-01T00:00:00Z"', "expires_at: '99999-01-01T00:00:00Z' is not a time."),
    (GRANT, "expires_at", f'"{LONG}"', "is not a time."),
    (GRANT, "effective_at", '"now"', "effective_at: 'now' is not a time."),
    (GRANT, "actor", '"somebody"', "actor: is not a field of this request."),
    (NEW, "account_id", '""', "account_id: is empty. Send 1 to 255 characters."),
    (NEW, "account_id", "7", "account_id: 7 is not text."),
    (NEW, "account_id", f'"{LONG}"', "account_id: has 10000 characters. Send at most 255."),
    (NEW, "account_id", f'"{"x" * 256}"', "account_id: has 256 characters. Send at most 255."),
    (NEW, "account_id", r'"a\u0000b"', "account_id: 'a\\x00b' has a control character"),
    (NEW, "account_id", r'"a\u2028b"', "account_id: 'a\\u2028b' has a control character"),
    (NEW, "account_id", r'"\ud800"', "account_id: has a lone surrogate"),
    (NEW, "label", "7", "label: 7 is not text."),
    (NEW, "label", f'"{LONG}"', "label: has 10000 characters. Send at most 255."),
    (NEW, "label", r'"\u001b[31m"', "label: '\\x1b[31m' has a control character"),
    (NEW, "metadata", "[]", "metadata: is a JSON list."),
    (NEW, "remaining", "1000000", "remaining: is not a field of this request."),
]

# What a request cannot do without: (path, field).
NEEDED = [(USE, "feature"), (GRANT, "amount"), (GRANT, "reason"), (NEW, "account_id")]

# What the header can be beside a key: (its values, words of the detail).
KEYS: dict[str, tuple[list[bytes], str]] = {
    "empty": ([b""], "Idempotency-Key: is empty. Send 1 to 255 characters."),
    "300 characters": ([b"k" * 300], "Idempotency-Key: has 300 characters. Send at most 255."),
    "two of them": ([b"a", b"b"], "Idempotency-Key: was sent 2 times. Send it once."),
    "the same twice": ([b"a", b"a"], "Idempotency-Key: was sent 2 times."),
    "Latin-1": ([b"caf\xe9"], "Idempotency-Key: 'caf\\xe9' is not ASCII. Send letters, digits and signs."),
    "UTF-8": (["🪙".encode()], "is not ASCII."),
    "a control character": ([b"a\x01"], "Idempotency-Key: 'a\\x01' has a control character"),
}

# What a query string can hold: (it, the field, words of the detail).
QUERIES: list[tuple[str, str, str]] = [
    ("limit=0", "limit", "limit: 0 is not a whole number from 1 to 200."),
    ("limit=201", "limit", "limit: 201 is not a whole number from 1 to 200."),
    ("limit=-1", "limit", "limit: '-1' is not a whole number from 1 to 200."),
    ("limit=", "limit", "limit: '' is not a whole number from 1 to 200."),
    ("limit=ten", "limit", "limit: 'ten' is not a whole number from 1 to 200."),
    ("limit=1.0", "limit", "limit: '1.0' is not a whole number from 1 to 200."),
    ("limit=1e1", "limit", "limit: '1e1' is not a whole number from 1 to 200."),
    ("limit=%D9%A3", "limit", "limit: '\\u0663' is not a whole number from 1 to 200."),
    (f"limit={LONG}", "limit", "is not a whole number from 1 to 200."),
    ("limit=1&limit=2", "limit", "limit: was sent 2 times. Send it once."),
    ("cursor=", "cursor", "cursor: '' is not a cursor. Send next_cursor of the page before."),
    ("cursor=-1", "cursor", "cursor: '-1' is not a cursor."),
    ("cursor=abc", "cursor", "cursor: 'abc' is not a cursor."),
    (f"cursor={'9' * 5_000}", "cursor", "is not a cursor."),
    ("since=yesterday", "since", "since: 'yesterday' is not a time. Send one like 2026-01-31T09:30:00Z."),
    ("since=2026-01-31", "since", "since: 2026-01-31T00:00:00 has no time zone."),
    ("until=2026-01-31T09:30:00+02:00", "until", "until: '2026-01-31T09:30:00 02:00' is not a time."),
    ("until=", "until", "until: '' is not a time."),
    ("feature=a%00b", "feature", "feature:"),
    ("kind=%00", "kind", "kind:"),
    ("feature=", "feature", "feature:"),
    ("kind=%FF", "query", "query: is not UTF-8. Percent-encode the UTF-8 bytes of each value."),
    ("page=2", "page", "page: is not a parameter of this request. Leave it out; known: limit, cursor, "),
    (f"{LONG}=2", "x" * 60, "is not a parameter of this request."),
]

# What can stand in a path for an id: (it, words of the detail).
IDS: dict[str, tuple[str, str]] = {
    "10,000 characters": (LONG, "account_id: has 10000 characters. Send at most 255."),
    "256 characters": ("x" * 256, "account_id: has 256 characters. Send at most 255."),
    "a NUL": ("a%00b", "account_id: 'a\\x00b' has a control character"),
    "a line break": ("a%0Ab", "account_id: 'a\\nb' has a control character"),
    "no UTF-8": ("a%FFb", "account_id: is not UTF-8. Percent-encode the id's UTF-8 bytes."),
    "half a character": ("%ED%A0%80", "account_id: is not UTF-8."),
    "a character cut off": ("%F0%9F%AA", "account_id: is not UTF-8."),
}


def body_with(path: str, field: str, value: str) -> bytes:
    """The body of a good request with one of its fields, or one more, as this JSON."""
    parts = {name: json.dumps(good) for name, good in GOOD[path].items()} | {field: value}
    return ("{" + ", ".join(f"{json.dumps(name)}: {part}" for name, part in parts.items()) + "}").encode()
