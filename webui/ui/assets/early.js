// Runs before Gradio: the language chosen on the page counts as the browser's, and every Chinese is our zh-CN.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("darkroom.language"); } catch { /* storage is off: the browser's language it is */ }
  const system = navigator.language || "en";
  const language = chosen || (/^zh\b/i.test(system) ? "zh-CN" : "en");
  Object.defineProperty(navigator, "language", { get: () => language, configurable: true });
  Object.defineProperty(navigator, "languages", { get: () => [language], configurable: true });
  document.documentElement.lang = language;

})();
