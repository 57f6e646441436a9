"""How much a request may bring."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 60_000_000
DRAINED_BYTES = 400_000_000
"""A body up to here is read to its end before it is refused: a browser shows the answer only when it has sent all."""


class BodyTooLargeError(Exception):
    """The request brings more than is taken. Nothing of it was kept."""


class BodyLimit:
    """Ends a request that brings too much, before anything of it is stored."""

    def __init__(self, app: ASGIApp, most: int = MOST_BYTES) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = next((int(value) for name, value in scope["headers"] if name == b"content-length" and value.isdigit()), 0)
        if self._most < told <= DRAINED_BYTES:
            while (await receive()).get("more_body"):
                pass
        came = 0

        async def limited() -> Message:
            nonlocal came
            if told > self._most:
                raise BodyTooLargeError
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._most:
                raise BodyTooLargeError
            return message

        await self._app(scope, limited, send)
