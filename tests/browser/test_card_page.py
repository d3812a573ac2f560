"""The card's page in Chromium, opened from disk: sliders, pointer, keyboard, link, themes, phone width, no script.

Set ACTFN_SCREENSHOTS to a folder to get pictures of the page to look at.
"""

from __future__ import annotations

import itertools
import math
import os
import re
from pathlib import Path

import pytest
from PIL import Image

from actfn import catalog
from actfn.card import write_card
from actfn.definition import Definition, Parameter

HOSTILE_TEXT = "</script><script>window.broken = true</script>\"'&<img src=x onerror='window.broken = true'>"
DEFINITIONS = [
    *(catalog.find(name) for name in ("elu", "silu", "celu")),
    Definition(name="inverse", formula="1/x"),
    Definition(
        name="shrink",
        formula="where(x > lambd, x - lambd, where(x < -lambd, x + lambd, 0))",
        parameters=[Parameter("lambd", 0.5, "positive")],
        title=HOSTILE_TEXT,
        summary=HOSTILE_TEXT,
        tags=[HOSTILE_TEXT],
        aliases={HOSTILE_TEXT: HOSTILE_TEXT},
    ),
]


@pytest.fixture(scope="module")
def cards(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("cards")
    for definition in DEFINITIONS:
        write_card(definition, {}, folder, points=201)
    write_card(catalog.find("elu"), {}, folder / "single", points=201, single_file=True)
    return folder


@pytest.fixture
def visit(browser, cards):
    """Opens a card and returns the page; at the end, what it said on the console and asked of the network is judged."""
    contexts, troubles = [], []

    def opened(name="elu", fragment="", **options):
        options = {"viewport": {"width": 1200, "height": 900}, **options}
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: troubles.append(f"{m.type}: {m.text}") if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: troubles.append(f"exception: {error}"))
        page.on("request", lambda r: None if r.url.startswith(("file:", "data:", "blob:")) else troubles.append(r.url))
        page.on("requestfailed", lambda r: troubles.append(f"failed: {r.url}"))
        page.goto(f"{(cards / name).as_uri()}.html{fragment}")
        if options.get("java_script_enabled", True):
            page.wait_for_selector("html.live")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert troubles == []


def plot(kind: str) -> str:
    """JavaScript for a Plotly chart."""
    return f"document.getElementById('plot-{kind}')"


def shown_range(page, kind: str = "value") -> list[float]:
    return page.evaluate(f"{plot(kind)}.layout.xaxis.range")


def trace(page, kind: str) -> tuple[list, list]:
    """x and y of the page's own curve, as Plotly has them, gaps and all."""
    found = page.evaluate(f"{plot(kind)}.data[0]")
    return found["x"], found["y"]


def curve(page, kind: str) -> list[tuple[float, float]]:
    """The points of the page's own curve that Plotly has, without gaps."""
    x, y = trace(page, kind)
    return [(a, b) for a, b in zip(x, y, strict=True) if b is not None]


def readout(page) -> dict[str, float]:
    """The numbers of the readout: {"x": ..., "f(x)": ..., "f'(x)": ...}."""
    text = page.inner_text("#readout").replace("\N{MINUS SIGN}", "-").replace("\N{PRIME}", "'").replace("\xa0", " ")
    return {name: float(value) for name, value in re.findall(r"(x|f\(x\)|f'\(x\)) = (-?[\d.e+-]+)", text)}


def set_slider(page, name: str, value: float) -> None:
    page.evaluate(
        """([name, value]) => {
            const slider = document.getElementById(`${name}-slider`);
            slider.value = value;
            slider.dispatchEvent(new Event("input", { bubbles: true }));
        }""",
        [name, value],
    )
    drawn(page)


def drawn(page) -> None:
    """Waits until what was asked for is drawn: the page draws once a frame at most."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def elu(x: float, alpha: float) -> float:
    return x if x > 0 else alpha * math.expm1(x)


def elu_slope(x: float, alpha: float) -> float:
    return 1.0 if x > 0 else alpha * math.exp(x)


def silu_slope(x: float) -> float:
    return (1 + math.exp(-x) + x * math.exp(-x)) / (1 + math.exp(-x)) ** 2


# -- parameters ------------------------------------------------------------------------------------------------------


def test_the_slider_moves_both_curves(visit):
    page = visit()
    before = curve(page, "value"), curve(page, "slope")
    set_slider(page, "alpha", 0.5)
    value, slope = curve(page, "value"), curve(page, "slope")
    assert (value, slope) != before
    assert len(value) > 500
    assert max(abs(y - elu(x, 0.5)) for x, y in value) < 1e-12
    # At the kink f' has both limits: the curve ends on one and starts on the other.
    assert max(min(abs(y - elu_slope(x, 0.5)), abs(y - 1.0) if x == 0 else 1.0) for x, y in slope) < 1e-12
    assert [y for x, y in slope if x == 0] == [0.5, 1.0]


def test_the_slider_moves_by_the_keyboard(visit):
    page = visit()
    page.focus("#alpha-slider")
    page.keyboard.press("ArrowLeft")
    drawn(page)
    assert page.input_value("#alpha-number") == "0.99"
    assert max(abs(y - elu(x, 0.99)) for x, y in curve(page, "value")) < 1e-12


def test_numbers_on_the_page_follow_the_slider(visit):
    page = visit()
    row = page.locator("section[aria-labelledby=compared] tbody tr").first
    assert row.inner_text().split() == ["ELU", "C1", "1", "1", "\N{MINUS SIGN}1", "0"]
    set_slider(page, "alpha", 0.5)
    assert row.inner_text().split() == ["ELU", "C0", "0.5", "1", "\N{MINUS SIGN}0.5", "0"]
    set_slider(page, "alpha", 1)
    assert row.inner_text().split() == ["ELU", "C1", "1", "1", "\N{MINUS SIGN}1", "0"]


def test_a_breakpoint_moves_with_its_parameter(visit):
    page = visit("shrink")
    set_slider(page, "lambd", 1.25)
    marks = page.evaluate(f"{plot('value')}.layout.shapes.map(s => s.x0)")
    assert sorted(marks) == [-1.25, 1.25]
    x, y = trace(page, "slope")
    gaps = [at for at, value in zip(x, y, strict=True) if value is None]
    assert gaps == [-1.25, 1.25]


@pytest.mark.parametrize(("name", "typed"), [("celu", "-1"), ("celu", "0"), ("celu", ""), ("celu", "1e999")])
def test_a_value_outside_the_domain_is_refused_in_words(visit, name, typed):
    page = visit(name)
    before = curve(page, "value")
    page.fill("#alpha-number", typed)
    page.press("#alpha-number", "Enter")
    assert "alpha" in page.inner_text("#alpha-note [role=alert]")
    assert page.get_attribute("#alpha-number", "aria-invalid") == "true"
    assert curve(page, "value") == before
    page.fill("#alpha-number", "0.5")
    page.press("#alpha-number", "Enter")
    drawn(page)
    assert page.inner_text("#alpha-note [role=alert]") == ""
    assert page.get_attribute("#alpha-number", "aria-invalid") == "false"


# -- the probe -------------------------------------------------------------------------------------------------------


def over(page, kind: str, share: float) -> None:
    """Moves the mouse to a place on a chart: 0 is the left end of its x axis, 1 the right."""
    box = page.locator(f"#plot-{kind} .nsewdrag").bounding_box()
    page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
    page.wait_for_timeout(100)


@pytest.mark.parametrize("kind", ["value", "slope"])
def test_the_pointer_reads_the_value_and_the_slope(visit, kind):
    page = visit()
    for share in (0.2, 0.9):
        over(page, kind, share)
        read = readout(page)
        assert read["x"] == pytest.approx(-2 + 4 * share, abs=0.02)
        assert read["f(x)"] == pytest.approx(elu(read["x"], 1.0), abs=2e-5)
        assert read["f'(x)"] == pytest.approx(elu_slope(read["x"], 1.0), abs=2e-5)


def test_the_tangent_touches_the_curve_where_the_pointer_is(visit):
    page = visit()
    over(page, "value", 0.25)
    read = readout(page)
    line, point = (page.locator(f".chart.value .overlay {shape}") for shape in ("line", "circle"))
    (x1, y1, x2, y2), (cx, cy) = (
        [float(element.get_attribute(name)) for name in names]
        for element, names in ((line, ("x1", "y1", "x2", "y2")), (point, ("cx", "cy")))
    )
    inside = page.locator(".chart.value .overlay svg")
    width, height = (float(inside.get_attribute(name)) for name in ("width", "height"))
    low, high = page.evaluate(f"{plot('value')}.layout.yaxis.range")
    assert cx / width * 4 - 2 == pytest.approx(read["x"], abs=1e-5)
    assert high - cy / height * (high - low) == pytest.approx(read["f(x)"], abs=1e-5)
    slope = -(y2 - y1) / height * (high - low) / ((x2 - x1) / width * 4)
    assert slope == pytest.approx(read["f'(x)"], abs=1e-5)
    assert ((x1 + x2) / 2, (y1 + y2) / 2) == pytest.approx((cx, cy), abs=0.01)


def test_the_probe_moves_by_the_keyboard(visit):
    page = visit()
    page.focus("#x-slider")
    before = readout(page)["x"]
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    read = readout(page)
    assert read["x"] > before
    assert read["f(x)"] == pytest.approx(elu(read["x"], 1.0), abs=1e-5)


def test_the_probe_takes_a_number_and_shows_both_sides_of_a_kink(visit):
    page = visit(fragment="#alpha=0.5")
    page.fill("#x-number", "0")
    page.press("#x-number", "Enter")
    assert readout(page)["f'(x)"] == 0.5
    assert "from the left 0.5, from the right 1" in page.inner_text("#readout").replace("\xa0", " ")


# -- the view --------------------------------------------------------------------------------------------------------


def test_zooming_out_keeps_the_curve(visit):
    page = visit()
    for _ in range(4):
        page.click("#zoom-out")
    shown = shown_range(page, "slope")
    assert shown == [-32, 32]
    x = [x for x, _ in curve(page, "value")]
    assert (min(x), max(x)) <= (-32, 32)
    page.click("#reset")
    assert shown_range(page) == [-2, 2]


def test_dragging_moves_both_charts(visit):
    page = visit()
    box = page.locator("#plot-value .nsewdrag").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, y, steps=5)
    page.mouse.up()
    page.wait_for_timeout(200)
    value, slope = shown_range(page), shown_range(page, "slope")
    assert value == slope
    assert value[0] == pytest.approx(-1, abs=0.05)


def test_the_link_reproduces_the_view(visit):
    page = visit()
    set_slider(page, "alpha", 0.25)
    set_slider(page, "x", -1.0)
    page.check("#flat")
    page.uncheck("[data-toggle=relu]")
    page.click("#zoom-out")
    page.wait_for_timeout(400)
    again = visit(fragment="#" + page.url.partition("#")[2])
    assert again.input_value("#alpha-number") == "0.25"
    assert readout(again)["x"] == -1
    assert again.is_checked("#flat")
    assert not again.is_checked("[data-toggle=relu]")
    assert shown_range(again) == [-4, 4]
    assert curve(again, "value") == curve(page, "value")


@pytest.mark.parametrize(
    "fragment", ["#alpha=banana&x=NaN", "#alpha=&x-range=5,1", "#alpha=Infinity", "#x-range=1", "#%"]
)
def test_a_link_with_nonsense_shows_the_first_view(visit, fragment):
    page = visit(fragment=fragment)
    assert page.input_value("#alpha-number") == "1"
    assert shown_range(page) == [-2, 2]


def test_flat_stretches_are_shaded(visit):
    page = visit("silu")
    bands = f"{plot('value')}.layout.shapes.filter(s => s.type === 'rect').map(s => [s.x0, s.x1])"
    assert page.evaluate(bands) == []
    page.check("#flat")
    (low, high), *_ = [b for b in page.evaluate(bands) if -2 < b[1] < 0]
    assert silu_slope(high) == pytest.approx(0.1, abs=0.02)
    assert abs(silu_slope((low + high) / 2)) < 0.1


def test_compared_curves_can_be_hidden(visit):
    page = visit()
    visible = f"{plot('slope')}.data.slice(0, 3).map(t => [t.name, t.visible])"
    assert page.evaluate(visible) == [["ELU", True], ["ReLU", True], ["Leaky ReLU", True]]
    page.uncheck("[data-toggle=relu]")
    assert page.evaluate(visible) == [["ELU", True], ["ReLU", False], ["Leaky ReLU", True]]


def test_a_pole_leaves_a_gap_and_no_number_is_made_up(visit):
    page = visit("inverse", fragment="#x=0")
    assert "\N{EN DASH}" in page.inner_text("#readout")
    _, y = trace(page, "value")
    assert not [1 for a, b in itertools.pairwise(y) if a is not None and b is not None and a * b < 0]
    assert not re.search(r"\b(NaN|undefined|null|None)\b", page.inner_text("body"))


def test_dragging_one_end_of_the_axis(visit):
    page = visit()
    box = page.locator("#plot-value .wdrag").first.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 40, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    page.wait_for_timeout(200)
    assert shown_range(page) == shown_range(page, "slope")
    assert all(math.isfinite(end) for end in shown_range(page))


def test_a_chart_can_be_saved_as_svg(visit):
    page = visit(fragment="#alpha=0.5", color_scheme="dark")
    with page.expect_download() as download:
        page.click("[data-picture='slope.svg']")
    assert download.value.suggested_filename == "elu-slope.svg"
    text = Path(download.value.path()).read_text()
    assert text.startswith("<svg")
    assert "rgb(23, 24, 27)" in text  # the dark paper: its pale text would be lost on white


def test_going_back_to_a_link_without_values_shows_it_anew(visit):
    page = visit(fragment="#alpha=0.5&x=1&flat-shown=1")
    page.evaluate("location.hash = '#'")
    page.wait_for_function("document.getElementById('alpha-number').value === '1'")
    assert not page.is_checked("#flat")
    assert readout(page)["x"] == -0.5


# -- reading ---------------------------------------------------------------------------------------------------------


def test_the_proof_can_be_read(visit):
    page = visit()
    proof = page.locator("section[aria-labelledby=proof]")
    assert proof.locator(".status").inner_text() == "proven"
    steps = proof.locator("ol li").all_inner_texts()
    assert any("right limit 1" in step and "if and only if" in step for step in steps)
    assert proof.locator("table math").count() >= 4


@pytest.mark.parametrize("name", ["elu", "shrink"])
def test_without_script_both_charts_the_formula_and_the_proof_are_there(visit, name):
    page = visit(name, java_script_enabled=False)
    charts = page.locator("figure svg[role=img]")
    assert charts.count() == 2
    for i in range(2):
        assert charts.nth(i).is_visible()
        assert charts.nth(i).locator("path.curve").first.get_attribute("d").count("L") > 50
    assert page.locator(".formulas math").first.is_visible()
    assert page.locator(".certificate li").count() >= 2
    assert not page.locator(".controls").is_visible()
    assert page.locator("noscript").inner_text()


def test_without_plotly_the_page_says_so(browser, cards, tmp_path):
    (tmp_path / "elu.html").write_bytes((cards / "elu.html").read_bytes())
    page = browser.new_page()
    page.goto((tmp_path / "elu.html").as_uri())
    page.wait_for_selector("#stays-still:visible")
    assert page.locator("figure svg[role=img]").first.is_visible()
    page.close()


def test_a_single_file_works_alone(visit):
    page = visit("single/elu")
    set_slider(page, "alpha", 0.5)
    assert max(abs(y - elu(x, 0.5)) for x, y in curve(page, "value")) < 1e-12


def test_hostile_text_does_nothing(visit):
    page = visit("shrink")
    assert page.evaluate("window.broken") is None
    assert HOSTILE_TEXT in page.inner_text("h1")


@pytest.mark.parametrize("name", ["elu", "shrink", "inverse"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible(visit, name, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = visit(name, color_scheme=scheme)
    found = Axe().run(page).response["violations"]
    grave = [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found if v["impact"] in ("serious", "critical")]
    assert grave == []


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("name", ["elu", "shrink", "silu"])
def test_no_sideways_scrolling_on_a_phone(visit, name, script):
    page = visit(
        name, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, java_script_enabled=script
    )
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [360, 360]


def test_the_charts_follow_a_change_of_theme(visit):
    page = visit(color_scheme="light")
    colour = f"{plot('value')}.data[0].line.color"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"{colour} !== '{light}'")


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("light", {"color_scheme": "light"}),
        ("dark", {"color_scheme": "dark"}),
        ("phone", {"viewport": {"width": 360, "height": 740}}),
        ("no-script", {"java_script_enabled": False}),
    ],
)
def test_pictures(visit, tmp_path, kind, options):
    place = Path(os.environ.get("ACTFN_SCREENSHOTS") or tmp_path) / f"elu-{kind}.png"
    page = visit(fragment="#alpha=0.5", **options)
    page.wait_for_timeout(300)
    page.screenshot(path=place, full_page=True)
    with Image.open(place) as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24) or []}
    curves = {"dark": {(125, 180, 242), (242, 154, 99)}}.get(kind, {(26, 90, 158), (173, 63, 12)})
    assert curves <= colours
