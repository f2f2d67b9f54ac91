"""Reading a multipart form with one picture: the fields by name, limited in number and size.

Not here: what the fields mean (order.py).
"""

from collections.abc import Collection

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from sixpence import InvalidInputError
from sixpence_studio.generators.picture import BYTES_MAX

FIELD_BYTES_MAX = 64 * 1024
# The picture, and room for the other fields and the boundaries.
BODY_BYTES_MAX = BYTES_MAX + 256 * 1024

Fields = dict[str, str | bytes]


async def read_form(request: Request, *, texts: Collection[str], file: str) -> Fields:
    """Read the fields: text for the names in `texts`, bytes for `file`.

    Raises `InvalidInputError` naming the field, and an HTTP 400, 413 or 415 if the body as a whole is invalid.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "multipart/form-data":
        raise HTTPException(415, "body: is not a form. Send it as multipart/form-data.")
    bounded = Request(request.scope, _bounded(request.receive, request.headers.get("content-length", "")))
    async with bounded.form(max_files=1, max_fields=len(texts), max_part_size=FIELD_BYTES_MAX) as form:
        fields: Fields = {}
        for name, value in form.multi_items():
            if name not in (*texts, file):
                known = ", ".join((*texts, file))
                raise InvalidInputError(name[:60], f"is not a field of this form. It has: {known}.")
            if name in fields:
                raise InvalidInputError(name, "was sent more than once. Send it once.")
            fields[name] = await _bytes_of(value) if isinstance(value, UploadFile) else value
            if isinstance(fields[name], str) == (name == file):
                wanted = "a file" if name == file else "text, not a file"
                raise InvalidInputError(name, f"is not what is expected. Send {wanted}.")
        return fields


def _bounded(receive: Receive, announced: str) -> Receive:
    """Return the same stream; it raises an HTTP 413 when the body is too long."""
    received = 0

    async def bounded() -> Message:
        nonlocal received
        if announced.isdigit() and int(announced) > BODY_BYTES_MAX:
            raise _too_large()
        message = await receive()
        received += len(message.get("body", b""))
        if received > BODY_BYTES_MAX:
            raise _too_large()
        return message

    return bounded


def _too_large() -> HTTPException:
    return HTTPException(413, f"picture: The upload is over {BYTES_MAX // 2**20} MB. Send a smaller picture.")


async def _bytes_of(upload: UploadFile) -> bytes:
    # The body's limit is above the picture's: `read_order` refuses a picture in between by its field.
    return await upload.read()
