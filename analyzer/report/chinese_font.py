"""Finds a font with Chinese characters on this machine, for a PDF in Chinese: typst brings none, and no package here does.

A font is found by the names that its files have where distributions, macOS and Windows install it. Nothing is guessed from its
content, so the same files on two machines give the same pages. Serif fonts come first, because Chinese reports are printed in
Song type. Variable fonts are left out: typst sets them in their thinnest weight.
"""

import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

PACKAGE = "fonts-noto-cjk"
"""The package of Debian and Ubuntu that has the first of the families."""

FAMILIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Noto Serif CJK SC", ("NotoSerifCJK-Regular.ttc", "NotoSerifCJKsc-Regular.otf")),
    ("Noto Serif SC", ("NotoSerifSC-Regular.otf", "NotoSerifSC-Regular.ttf")),
    ("Source Han Serif SC", ("SourceHanSerif-Regular.ttc", "SourceHanSerifSC-Regular.otf")),
    ("Noto Sans CJK SC", ("NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf")),
    ("Noto Sans SC", ("NotoSansSC-Regular.otf", "NotoSansSC-Regular.ttf")),
    ("Source Han Sans SC", ("SourceHanSans-Regular.ttc", "SourceHanSansSC-Regular.otf")),
    ("WenQuanYi Zen Hei", ("wqy-zenhei.ttc",)),
    ("WenQuanYi Micro Hei", ("wqy-microhei.ttc",)),
    ("Songti SC", ("Songti.ttc",)),
    ("Microsoft YaHei", ("msyh.ttc",)),
)
"""Families and the files with their regular weight, the best first."""

FOLDERS = (
    "~/.local/share/fonts",
    "~/.fonts",
    "/usr/local/share/fonts",
    "/usr/share/fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
    "C:/Windows/Fonts",
)
"""Where fonts are installed: by a user (XDG Base Directory), a distribution, macOS, and Windows."""

MOST_FOLDERS = 10_000
"""Folders in which a search looks, at most."""


class MissingFontError(LookupError):
    """No font with Chinese characters is installed."""

    def __init__(self) -> None:
        super().__init__(
            "a PDF in Chinese needs a font with Chinese characters, and none was found: "
            f"install one (Debian, Ubuntu: apt install {PACKAGE}), or name its folder with --font-path DIR"
        )


@dataclass(frozen=True, slots=True)
class ChineseFont:
    """A font. family: its name. folder: where its files are."""

    family: str
    folder: str


def chinese_font(font_path: str | None = None) -> ChineseFont:
    """Return the first of the families that is installed. Raises `MissingFontError` if none is.

    font_path: the only folder to look in, None for the usual ones.
    """
    return _found((font_path,) if font_path is not None else tuple(map(os.path.expanduser, FOLDERS)))


@cache
def chinese_characters() -> frozenset[str]:
    """Return the characters of GBK that are Chinese characters or their punctuation: each of the families has them."""
    return frozenset(character for character in _of_gbk() if unicodedata.east_asian_width(character) in "WF")


@cache
def _found(folders: Sequence[str]) -> ChineseFont:
    places: dict[str, str] = {}
    for folder in folders:
        for place, name in _files(folder):
            places.setdefault(name.lower(), place)
    for family, names in FAMILIES:
        for name in names:
            if name.lower() in places:
                return ChineseFont(family, places[name.lower()])
    raise MissingFontError


def _files(folder: str) -> Iterator[tuple[str, str]]:
    """Yield the folder and the name of each file below a folder, in the order of the alphabet."""
    for number, (place, inner, names) in enumerate(os.walk(folder)):
        if number >= MOST_FOLDERS:
            return
        inner.sort()
        for name in sorted(names):
            yield place, name


def _of_gbk() -> Iterator[str]:
    """Yield the characters of the Chinese blocks that GBK (1995) has: those of Unicode 1.1, and full-width forms."""
    for first, last in ((0x3000, 0x303F), (0x4E00, 0x9FA5), (0xFF01, 0xFF5E)):
        for number in range(first, last + 1):
            if len(chr(number).encode("gbk", "ignore")) == 2:
                yield chr(number)
