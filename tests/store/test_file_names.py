import re

import pytest

from analyzer.store.file_names import FileNames, safe_folder, safe_stem

SAFE = re.compile(r"[a-z0-9_][a-z0-9._-]{0,126}/[a-z0-9_][a-z0-9._-]{0,126}")


@pytest.mark.parametrize(
    ("url", "ending", "name"),
    [
        ("https://a.test/", "html", "a.test/index.html"),
        ("https://a.test/x/Logo.PNG?token=secret#top", "png", "a.test/logo.png"),
        ("https://a.test/photo.jpeg", "jpg", "a.test/photo.jpg"),
        ("https://a.test/page.php", "html", "a.test/page.php.html"),
        ("https://a.test/setup.exe", "bin", "a.test/setup.exe.bin"),
        ("https://A.Test:8443/app.min.js", "js", "a.test_8443/app.min.js"),
        ("http://a.test:80/app.min.js", "js", "a.test/app.min.js"),
        ("https://a.test/..%2f..%2fevil%1b[31m.txt", "txt", "a.test/_.._evil_31m.txt"),
        ("https://a.test/%2e%2e", "txt", "a.test/index.txt"),
        ("https://a.test/a/../../..", "txt", "a.test/index.txt"),
        ("https://a.test/%5c..%5cevil", "txt", "a.test/_.._evil.txt"),
        ("https://a.test/.htaccess", "txt", "a.test/htaccess.txt"),
        ("https://a.test/-rf", "bin", "a.test/_-rf.bin"),
        ("https://a.test/CON", "html", "a.test/_con.html"),
        ("https://a.test/nul.txt", "txt", "a.test/_nul.txt"),
        ("https://a.test/Lpt1.tar.gz", "gz", "a.test/_lpt1.tar.gz"),
        ("https://a.test/console", "txt", "a.test/console.txt"),
        ("https://aux/x", "txt", "_aux/x.txt"),
        ("https://../x", "txt", "_/x.txt"),
        ("https://manifest.json/x", "txt", "_manifest.json/x.txt"),
        ("https://[2001:db8::1]/x", "txt", "2001-db8--1/x.txt"),
        ("https://[::1/x", "txt", "10.0.0.2/x.txt"),
        ("https://größe.test/größe.html", "html", "gr_e.test/gr_e.html"),
        ("a.test:443", "bin", "10.0.0.2/a.test-443.bin"),
        ("*", "bin", "10.0.0.2/_.bin"),
        ("/path/only", "css", "10.0.0.2/only.css"),
        (None, "bin", "10.0.0.2/index.bin"),
        ("https://a.test/x.", "bin", "a.test/x.bin"),
        ("https://a.test/x%00.png", "png", "a.test/x_.png"),
    ],
)
def test_a_name_is_made_of_the_url(url: str | None, ending: str, name: str):
    found = FileNames().object_name(url, "10.0.0.2", "response", ending, (0, 0))
    assert found == name
    assert SAFE.fullmatch(found)


def test_each_name_comes_once():
    names = FileNames()
    given = [("https://a.test/A.txt", (0, 0)), ("https://a.test/a.TXT", (3, 12)), ("https://a.test/b/a.txt", (3, 12))]
    found = [names.object_name(url, "x", "response", "txt", number) for url, number in given]
    assert found == ["a.test/a.txt", "a.test/a-s3e12.txt", "a.test/a-s3e12-2.txt"]
    assert names.object_name("https://a.test/a.txt", "x", "request", "txt", (3, 12)) == "a.test/a.request.txt"


def test_no_name_is_too_long():
    url = f"https://{'a' * 63}.{'b' * 63}.{'c' * 63}.test/{'%C3%A9x' * 500}.png"
    names = FileNames()
    for _ in range(3):
        found = names.object_name(url, "x", "websocket-client", "png", (999_999, 999_999))
        assert SAFE.fullmatch(found)
    assert len(safe_folder(url, "x")) <= 100
    assert len(safe_stem(url, "png")) <= 80
