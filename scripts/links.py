"""Check that every link within the documentation site leads somewhere, to the heading it names.

python scripts/links.py docs/_build/html

Links to other sites are counted, not followed: ``sphinx-build -b linkcheck docs out`` asks them.
"""

import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LINKING = ("a", "img", "iframe", "link", "script")


class Page(HTMLParser):
    """What a page links to, and the places in it that a link may name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and name in ("id", "name"):
                self.places.add(value)
            elif value and name in ("href", "src") and tag in LINKING:
                self.links.add(value)


def main() -> None:
    """Say what leads nowhere; exit 1 when anything does."""
    root = Path(sys.argv[1])
    pages = {path.resolve(): Page(path.read_text(encoding="utf-8")) for path in html(root)}
    away = {link for page in pages.values() for link in page.links if is_away(link)}
    broken = [
        f"{path.relative_to(root.resolve())}: {link}: {why}"
        for path, page in pages.items()
        for link in sorted(page.links)
        if not is_away(link) and (why := fault(path, link, pages))
    ]
    count = sum(len(page.links) for page in pages.values())
    fine = f"{count:,} links in {len(pages)} pages lead somewhere; {len(away)} lead to other sites"
    print("\n".join(broken) or fine)
    sys.exit(1 if broken else 0)


def html(root: Path) -> Iterator[Path]:
    """Yield the pages of a site that Sphinx wrote; the explorer holds no links of ours."""
    for path in sorted(root.rglob("*.html")):
        if path.relative_to(root).parts[0] not in ("_static", "explorer"):
            yield path


def is_away(link: str) -> bool:
    """Return whether a link leads to another site, or is no link at all."""
    return bool(urlsplit(link).scheme) or link.startswith("//")


def fault(path: Path, link: str, pages: dict[Path, Page]) -> str:
    """Return why a link leads nowhere; nothing when it does not."""
    parts = urlsplit(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    target = target / "index.html" if target.is_dir() else target
    if not target.is_file():
        return "no such file"
    place = unquote(parts.fragment)
    if place and target in pages and place not in pages[target].places:
        return f"no such heading in {target.name}"
    return ""


if __name__ == "__main__":
    main()
