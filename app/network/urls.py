"""URLs as users write them, before anything is known of where they lead."""

import httpx

from app.domain.errors import UrlRefused


def parsed(text: str) -> httpx.URL:
    """The URL; raises `UrlRefused` for what is none."""
    try:
        return without_password(httpx.URL(text))
    except (httpx.InvalidURL, ValueError) as error:
        raise UrlRefused("That is no URL; send https://host/path.") from error


def without_password(url: httpx.URL) -> httpx.URL:
    """The same URL; raises `UrlRefused` where it carries credentials, which logs would show."""
    if url.userinfo:
        raise UrlRefused("A URL may not carry a name or a password; use a signed URL.")
    return url
