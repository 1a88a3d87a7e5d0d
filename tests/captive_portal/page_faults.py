"""What a page of the portal must be, whatever it says; each thing that it is not has a name."""

import gzip

from house import Page
from werkzeug.test import TestResponse

FORBIDDEN = {"script", "img", "iframe", "meta-refresh"}
LINKS = ("/", "#", "tel:", "sms:", "mailto:", "https://")


def ill_made(answer: TestResponse, language: str) -> list[str]:
    """What is wrong with a page of ours in *language*; nothing when it is small, whole and well made."""
    page = Page(answer.text)
    held = {
        **_sent(answer),
        **_built(page, language),
        **_links(page),
        "no fixed zoom": "user-scalable" not in answer.text,
    }
    return [what for what, true in held.items() if not true]


def _sent(answer: TestResponse) -> dict[str, bool]:
    policy = answer.headers["Content-Security-Policy"]
    return {
        "status 200": answer.status_code == 200,
        "under 14 kB": len(gzip.compress(answer.data)) < 14_000,
        "no cookie": "Set-Cookie" not in answer.headers,
        "kept by nobody": answer.headers["Cache-Control"] == "private, no-store",
        "policy without scripts": "script-src" not in policy and policy.startswith("default-src 'none'"),
    }


def _built(page: Page, language: str) -> dict[str, bool]:
    tags = [tag for tag, _ in page.tags]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    attributes = {name for _, attributes in page.tags for name in attributes}
    return {
        "language and direction": page.all("html")
        == [{"lang": language, **({"dir": "rtl"} if language == "ar" else {})}],
        "one of each landmark": [tags.count(tag) for tag in ("h1", "title", "main", "header", "footer")] == [1] * 5,
        "a way past the header": page.tags[tags.index("body") + 1] == ("a", {"class": "skip", "href": "#main"}),
        "no forbidden element": not FORBIDDEN & set(tags),
        "nothing else to load": page.all("link") == [{"rel": "icon", "href": "data:,"}],
        "no handler, style or window": not [a for a in attributes if a.startswith("on") or a in {"style", "target"}],
        "ids once each": len(ids) == len(set(ids)),
        "under 150 elements": len(tags) < 150,
    }


def _links(page: Page) -> dict[str, bool]:
    return {"links that lead somewhere": all(link["href"].startswith(LINKS) for link in page.all("a"))}
