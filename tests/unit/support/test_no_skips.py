"""Where nothing may be skipped, a skip fails with its reason."""

from __future__ import annotations

import pytest

PLUGIN = ("-p", "tests.support.no_skips", "-p", "no:cacheprovider")
LEFT_OUT = {
    "a skip in a test": ("import pytest\ndef test_page():\n    pytest.skip('no browser')\n", "no browser"),
    "a mark": ("import pytest\n@pytest.mark.skip(reason='no curl')\ndef test_page():\n    pass\n", "no curl"),
    "a fixture": (
        "import pytest\n@pytest.fixture\ndef server():\n    pytest.skip('no server')\n"
        "def test_page(server):\n    pass\n",
        "no server",
    ),
    "a module": ("import pytest\npytest.skip('no TLS', allow_module_level=True)\n", "no TLS"),
    "an expected failure": (
        "import pytest\n@pytest.mark.xfail(reason='a known bug')\ndef test_page():\n    assert False\n",
        "Marked xfail: a known bug",
    ),
    "an unexpected success": (
        "import pytest\n@pytest.mark.xfail(reason='a known bug')\ndef test_page():\n    pass\n",
        "Marked xfail: a known bug",
    ),
}


@pytest.fixture(autouse=True)
def _on_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


@pytest.mark.parametrize(("source", "reason"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_is_left_out_fails_with_its_reason(pytester: pytest.Pytester, source: str, reason: str) -> None:
    pytester.makepyfile(source)

    result = pytester.runpytest_inprocess(*PLUGIN, "--no-skips")

    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"*--no-skips allows no test to be left out.*{reason}*"])
    assert not {"skipped", "xfailed", "xpassed"} & result.parseoutcomes().keys()


@pytest.mark.parametrize(("source", "reason"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_without_the_option_it_passes(pytester: pytest.Pytester, source: str, reason: str) -> None:
    pytester.makepyfile(source)

    result = pytester.runpytest_inprocess(*PLUGIN, "-rA")

    assert result.ret in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    result.stdout.fnmatch_lines([f"*{reason.removeprefix('Marked xfail: ')}*"])


@pytest.mark.parametrize(("value", "strict"), [("true", True), ("1", True), ("", False), ("false", False)])
def test_the_variable_of_build_servers_turns_it_on(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, value: str, strict: bool
) -> None:
    monkeypatch.setenv("CI", value)
    pytester.makepyfile(LEFT_OUT["a skip in a test"][0])

    result = pytester.runpytest_inprocess(*PLUGIN)

    assert (result.ret == pytest.ExitCode.TESTS_FAILED) is strict


def test_tests_that_run_are_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_right():\n    pass\ndef test_wrong():\n    assert 1 == 2\n")

    result = pytester.runpytest_inprocess(*PLUGIN, "--no-skips")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*assert 1 == 2*"])
