"""What tests of several rooms share: a cache for kernels, Chromium, and Hypothesis's settings."""

from __future__ import annotations

import os
import shutil

import hypothesis
import pytest

# No deadline: a machine shared with others makes one fail by chance; pytest-timeout stops what hangs.
hypothesis.settings.register_profile("test", deadline=None)
hypothesis.settings.load_profile("test")


@pytest.fixture(scope="session", autouse=True)
def kernel_cache(tmp_path_factory: pytest.TempPathFactory):
    """A cache of kernels that begins empty, for this session and the processes that it starts: never the user's own.

    The workers of one run share it, so that none builds what another has built.
    """
    folder = tmp_path_factory.getbasetemp()
    folder = (folder.parent if os.environ.get("PYTEST_XDIST_WORKER") else folder) / "kernels"
    folder.mkdir(mode=0o700, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ACTFN_CACHE_DIR", str(folder))
        yield


@pytest.fixture(scope="module")
def browser():
    """Chromium under Playwright; skips where there is none (see `pytest_runtest_makereport`)."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])  # root needs the flag
        yield browser
        browser.close()


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    """With ACTFN_REQUIRE_BROWSER=1, as CI sets it, a browser test that is skipped for any reason fails."""
    report = yield
    required = os.environ.get("ACTFN_REQUIRE_BROWSER") == "1"
    if required and report.skipped and not hasattr(report, "wasxfail") and item.get_closest_marker("browser"):
        report.outcome = "failed"
        report.longrepr = f"ACTFN_REQUIRE_BROWSER=1, but the test was skipped: {report.longrepr[2]}"
    return report


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """A function by its name: its address would be another in each worker."""
    return getattr(val, "__name__", None) if callable(val) and not isinstance(val, type) else None
