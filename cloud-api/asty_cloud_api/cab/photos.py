"""Photos of exceptions: re-encoded, so that nothing but the picture is kept."""

import io

from PIL import Image, ImageOps, UnidentifiedImageError

MOST_BYTES = 8_000_000
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 1600
QUALITY = 82


class NoPhotoError(Exception):
    """What was sent is no picture that we take: says why."""


def clean(sent: bytes) -> bytes:
    """Return a JPEG of at most LONGEST_SIDE px, upright, without EXIF: no place, no device, no owner. Raises NoPhotoError."""
    if len(sent) > MOST_BYTES:
        raise NoPhotoError(f"a photo has at most {MOST_BYTES // 1_000_000} MB")
    try:
        with Image.open(io.BytesIO(sent), formats=("JPEG", "PNG", "WEBP")) as image:
            if image.width * image.height > MOST_PIXELS:
                raise NoPhotoError("a photo has at most 40 megapixels")
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise NoPhotoError("this is no JPEG, PNG or WebP picture, or it is broken") from error
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    fresh = Image.new("RGB", upright.size)
    fresh.paste(upright)
    out = io.BytesIO()
    fresh.save(out, "JPEG", quality=QUALITY, optimize=True)
    return out.getvalue()
