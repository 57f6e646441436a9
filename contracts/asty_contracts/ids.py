"""Identities: who a thing is on the wire and in the store."""

import re

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_HEX = re.compile(r"(?:[0-9A-F]{2}){4,16}")


def is_name(text: str) -> bool:
    """Tell whether `text` can name an organisation or an edge: 1 to 32 of a-z, 0-9 and inner hyphens.

    The same text is an MQTT topic level, a certificate's common name and a Kafka key, so it holds none of `/+#`.
    """
    return _NAME.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Tell whether `text` is a tag's identity: its raw bits as 8 to 32 upper-case hex digits.

    Makers lay the bits out differently (EN 14803), so the raw digits are the identity and nothing is derived from them.
    """
    return _HEX.fullmatch(text) is not None
