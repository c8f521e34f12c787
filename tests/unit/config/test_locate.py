from __future__ import annotations

from bridge.config.locate import Lines


def test_keys_in_tables() -> None:
    """A key is found on its line; a table on its header's."""
    lines = Lines('# first\n[a]\nx = 1\n\n[a.b]\ny = "two" # [no.table]\n')
    assert [lines.find(loc) for loc in (("a",), ("a", "x"), ("a", "b"), ("a", "b", "y"))] == [2, 3, 5, 6]


def test_what_is_not_written() -> None:
    """A key that is missing is on the line of the nearest table around it; without one it is on none."""
    lines = Lines("[a]\n[a.b]\n")
    assert lines.find(("a", "b", "missing")) == 2
    assert lines.find(("c", "d")) is None


def test_strings_that_look_like_toml() -> None:
    """Nothing within strings is taken for keys, comments or tables, however they are quoted."""
    lines = Lines(
        'a = """\n[x]\nb = 1 \\""" """"\nc = \'\'\'\n# \'\' \n[y]\'\'\'\nd = "# \\" ["\ne = \'C:\\\'\nf = 1\n'
    )
    assert [lines.find((key,)) for key in "abcdef"] == [1, None, 4, 7, 8, 9]


def test_lists_over_lines() -> None:
    """Each element of a list has its own line, in nested lists and tables too."""
    lines = Lines('a = [ # one\n  "x,]",\n  { b = [1,\n 2], c.d = "}" },\n]\ne = 1\n')
    assert lines.find(("a", 0)) == 2
    assert lines.find(("a", 1, "b", 1)) == 4
    assert lines.find(("a", 1, "c", "d")) == 4
    assert lines.find(("e",)) == 6


def test_dotted_and_quoted_keys() -> None:
    """Dotted keys make tables; quoted keys are found by what they mean."""
    lines = Lines('a.b . "c d" = 1\n"\\u0041" = 2\n\'x.y\'.z = 3\n')
    assert lines.find(("a", "b", "c d")) == 1
    assert lines.find(("A",)) == 2
    assert lines.find(("x.y", "z")) == 3


def test_arrays_of_tables() -> None:
    """Each `[[table]]` is an element of its own, with the tables under it."""
    lines = Lines("[[a]]\nx = 1\n[[a]]\nx = 2\n[a.b]\ny = 3\n[[a.c]]\nz = 4\n")
    assert lines.find(("a", 0, "x")) == 2
    assert lines.find(("a", 1, "x")) == 4
    assert lines.find(("a", 1, "b", "y")) == 6
    assert lines.find(("a", 1, "c", 0, "z")) == 8


def test_values_of_all_kinds() -> None:
    """Dates, numbers and empty brackets are stepped over."""
    lines = Lines("a = 1979-05-27 07:32:00\nb = -inf\nc = []\nd = {}\ne = [[], [ ]]\nf = 0x1F\n")
    assert [lines.find((key,)) for key in "abcdef"] == [1, 2, 3, 4, 5, 6]
