"""The scripts that know nothing of forms and jobs: events, what is kept, the browser's history."""

from __future__ import annotations

from collections.abc import Callable

from tests.modules.conftest import Modules

OpenModules = Callable[..., Modules]
# A page with two tabs and things to open, all of which note what happens to them.
HISTORY = """
    const { emit, on } = await at("core/bus.js");
    const h = await at("core/history.js");
    window.log = [];
    window.h = h;
    for (const name of ["gallery", "picture", "help"]) {
        window[name] = (detail = "") => {
            log.push(`open ${name} ${detail}`.trim());
            h.opened(name, () => { log.push(`close ${name}`); h.closed(name); }, detail);
        };
        h.canOpen(name, window[name]);
    }
    on("tab-in-address", (tab) => {
        if (!["text_to_image", "style_transfer"].includes(tab)) return;
        log.push(`tab ${tab}`);
        h.showsTab(tab);
    });
    window.go = async (act) => {
        const before = [location.hash, log.length].join();
        act();
        await until(() => [location.hash, log.length].join() !== before);
        await nextTask(); await nextTask();
    };
"""


def with_history(modules: Modules, tab: str = "text_to_image") -> Modules:
    modules.run(HISTORY + "h.showsTab(given); await nextTask();", tab)
    return modules


def state(modules: Modules) -> tuple[str, list[str]]:
    """The address, and what has happened since the last time."""
    address, log = modules.run("const found = [...log]; log.length = 0; return [location.hash, found];")
    return address, log


def test_what_is_not_wanted_is_no_child(modules: Modules) -> None:
    made = modules.run(
        """const { el, fill } = await at("core/dom.js");
        const text = () => el("b", { text: "lake" });
        const one = el("div", {}, false, null, undefined, false && text(), text());
        const other = el("div", { text: "before" });
        fill(other, false, text(), null, "by name", undefined);
        return [one.innerHTML, other.innerHTML];"""
    )
    assert made == ["<b>lake</b>", "<b>lake</b>by name"]


def test_a_listener_that_throws_keeps_the_others_from_nothing(modules: Modules) -> None:
    heard = modules.run(
        """const { emit, on } = await at("core/bus.js");
        const found = [], reported = [];
        addEventListener("error", (event) => { event.preventDefault(); reported.push(event.error.message); });
        on("lake", (value) => found.push(["first", value]));
        on("lake", () => { throw new Error("broken"); });
        on("lake", (value) => found.push(["last", value]));
        on("hill", () => found.push("never"));
        emit("lake", 7);
        emit("nobody listens", 1);
        return [found, reported];"""
    )
    assert heard == [[["first", 7], ["last", 7]], ["broken"]]
    modules.errors.clear()


def test_what_is_kept_outlives_the_page(modules: Modules) -> None:
    modules.run("""const { kept } = await at("core/kept.js"); kept.set("lake", { deep: [1, null] });""")
    modules.page.reload()
    found = modules.run(
        """const { kept } = await at("core/kept.js");
        localStorage.setItem("darkroom.broken", "{");
        return [kept.get("lake"), kept.get("hill"), kept.get("hill", []), kept.get("broken", 3)];"""
    )
    assert found == [{"deep": [1, None]}, None, [], 3]


def test_a_full_storage_is_told_and_keeps_for_this_page(modules: Modules) -> None:
    found = modules.run(
        """const told = await heard("storage-full");
        const { kept } = await at("core/kept.js");
        kept.set("lake", "old");
        const setItem = Storage.prototype.setItem;
        Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); };
        kept.set("lake", "new");
        const full = [kept.get("lake"), localStorage.getItem("darkroom.lake"), told.length];
        Storage.prototype.setItem = setItem;
        kept.set("lake", "newest");
        return [full, kept.get("lake"), localStorage.getItem("darkroom.lake"), told.length];"""
    )
    assert found == [["new", '"old"', 1], "newest", '"newest"', 1]


def test_private_mode_keeps_nothing(open_modules: OpenModules) -> None:
    plain = open_modules()
    port = plain.run("""return (await at("core/given.js")).given.port;""")
    private = open_modules("/", **{f"darkroom-is-private-{port}": "yes"})
    found = private.run(
        """localStorage.setItem("darkroom.lake", '"somebody\\'s"');
        const { isPrivate, kept } = await at("core/kept.js");
        const before = kept.get("lake", "none");
        kept.set("lake", "mine");
        const { callHeaders } = await at("core/api.js");
        const now = [kept.get("lake"), localStorage.getItem("darkroom.lake")];
        return [isPrivate, before, ...now, callHeaders()["Darkroom-Private"]];"""
    )
    assert found == [True, "none", "mine", '"somebody\'s"', "yes"]
    assert plain.run("""return (await at("core/kept.js")).isPrivate;""") is False


def test_tabs_have_addresses_and_back_goes_through_them(modules: Modules) -> None:
    with_history(modules)
    assert state(modules) == ("#text_to_image", [])
    modules.run("""await go(() => h.showsTab("style_transfer"));""")
    assert state(modules) == ("#style_transfer", [])
    modules.run("await go(() => history.back());")
    assert state(modules) == ("#text_to_image", ["tab text_to_image"])
    modules.run("await go(() => history.forward());")
    assert state(modules) == ("#style_transfer", ["tab style_transfer"])


def test_back_closes_what_was_opened_last_and_forward_opens_it(modules: Modules) -> None:
    with_history(modules)
    modules.run("""await go(() => gallery()); await go(() => picture("a b/c"));""")
    assert state(modules) == ("#text_to_image/gallery/picture/a%20b%2Fc", ["open gallery", "open picture a b/c"])
    modules.run("await go(() => history.back());")
    assert state(modules) == ("#text_to_image/gallery", ["close picture"])
    modules.run("await go(() => history.back());")
    assert state(modules) == ("#text_to_image", ["close gallery"])
    modules.run("await go(() => history.go(2));")
    assert state(modules) == ("#text_to_image/gallery/picture/a%20b%2Fc", ["open gallery", "open picture a b/c"])


def test_closing_takes_back_the_entries_that_it_made(modules: Modules) -> None:
    with_history(modules)
    length = modules.run("return history.length;")
    modules.run("""await go(() => gallery()); await go(() => picture("a")); await go(() => help());""")
    modules.run("""await go(() => h.closed("gallery")); await until(() => location.hash === "#text_to_image");""")
    address, log = state(modules)
    assert (address, log[-2:]) == ("#text_to_image", ["close help", "close picture"])
    modules.run("await go(() => history.forward());")
    assert state(modules) == ("#text_to_image/gallery", ["open gallery"])
    assert modules.run("return history.length;") == length + 3


def test_another_detail_replaces_the_one_before(modules: Modules) -> None:
    with_history(modules)
    modules.run("""await go(() => gallery()); await go(() => picture("a"));""")
    length = modules.run("return history.length;")
    modules.run("""await go(() => picture("b"));""")
    assert state(modules)[0] == "#text_to_image/gallery/picture/b"
    assert modules.run("return history.length;") == length
    modules.run("await go(() => history.back());")
    assert state(modules) == ("#text_to_image/gallery", ["close picture"])


def test_two_things_opened_in_one_task_are_two_steps_back(modules: Modules) -> None:
    with_history(modules)
    modules.run("""await go(() => { gallery(); picture("a"); });""")
    assert state(modules)[0] == "#text_to_image/gallery/picture/a"
    modules.run("await go(() => history.back());")
    assert state(modules) == ("#text_to_image/gallery", ["close picture"])
    modules.run(
        """await go(() => { h.closed("gallery"); help(); }); await until(() => location.hash.endsWith("help"));"""
    )
    assert state(modules)[0] == "#text_to_image/help"
    modules.run("await go(() => history.back());")
    assert state(modules) == ("#text_to_image", ["close help"])


def test_a_page_opens_what_its_address_says(open_modules: OpenModules) -> None:
    modules = open_modules("/#style_transfer/gallery/picture/p%201/nonsense")
    modules.run(HISTORY)
    assert modules.run("return h.tabInAddress();") == "style_transfer"
    modules.run("h.showsTab(h.tabInAddress()); h.openAddress(); await nextTask();")
    assert state(modules) == ("#style_transfer/gallery/picture/p%201", ["open gallery", "open picture p 1"])
    modules.page.reload()
    modules.run(HISTORY + "h.showsTab(h.tabInAddress()); h.openAddress(); await nextTask();")
    assert state(modules) == ("#style_transfer/gallery/picture/p%201", ["open gallery", "open picture p 1"])
    modules.run("""await go(() => h.closed("picture"));""")
    assert state(modules)[0] == "#style_transfer/gallery"


def test_a_foreign_address_opens_nothing(open_modules: OpenModules) -> None:
    modules = open_modules("/#%E0%A4%A/gallery%/x")
    modules.run(HISTORY)
    modules.run("""h.showsTab("text_to_image"); h.openAddress(); await nextTask();""")
    assert state(modules) == ("#text_to_image", [])
    modules.run("""await go(() => { location.hash = "nowhere/gallery"; });""")
    assert state(modules)[1] == ["open gallery"], "what the address says of tabs is left out"
    modules.run("await go(() => history.back());")
    assert state(modules) == ("#text_to_image", ["close gallery"])
