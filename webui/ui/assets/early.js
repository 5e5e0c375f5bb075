// Runs before Gradio: the language chosen on the page, or the operator's, counts as the browser's, and every Chinese is our
// zh-CN.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("darkroom.language"); } catch { /* storage is off: the browser's language it is */ }
  const system = navigator.language || "en";
  const { language: usual } = document.documentElement.dataset;
  const language = chosen || (usual !== "auto" && usual) || (/^zh\b/i.test(system) ? "zh-CN" : "en");
  Object.defineProperty(navigator, "language", { get: () => language, configurable: true });
  Object.defineProperty(navigator, "languages", { get: () => [language], configurable: true });
  document.documentElement.lang = language;

  // The strings of that language take the place of the English ones, for whoever imports those.
  const texts = JSON.parse(document.currentScript.dataset.texts);
  const imports = Object.fromEntries(texts.en.map((english, at) => [english, texts[language][at]]));
  document.head.append(
    Object.assign(document.createElement("script"), { type: "importmap", textContent: JSON.stringify({ imports }) }),
    Object.assign(document.createElement("link"), { rel: "modulepreload", href: texts[language][0] }),
  );

  // A file that is not there any more: the server is newer than this page, which then loads itself again. Not twice
  // within a minute, as a server that does not find its own files would have us do it for ever: then the page says so.
  addEventListener("error", ({ target }) => {
    const file = target?.src || target?.href;
    if (!file || !/^\/(assets|page\/files)\//.test(new URL(file).pathname)) return;
    try {
      if (!(Date.now() - sessionStorage.getItem("darkroom.reloaded") < 60_000)) {
        sessionStorage.setItem("darkroom.reloaded", Date.now());
        return void location.reload();
      }
    } catch { /* without storage nobody would know how often */ }
    addEventListener("DOMContentLoaded", sayIncomplete);
    if (document.body) sayIncomplete();
  }, true);

  function sayIncomplete() {
    if (document.getElementById("incomplete")) return;
    const box = Object.assign(document.createElement("div"), { id: "incomplete" });
    box.setAttribute("role", "alert");
    const again = Object.assign(document.createElement("button"), { type: "button", onclick: () => location.reload() });
    const isChinese = language === "zh-CN";
    again.textContent = isChinese ? "重新加载" : "Load again";
    box.append(isChinese ? "页面没有完整加载，可能是连接中断了。" : "The page did not load completely. The connection may have broken off.", again);
    document.body.append(box);
  }
})();
