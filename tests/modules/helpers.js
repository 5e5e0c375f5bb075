// What tests of single scripts have at hand in the page.

/** Imports a module by its path below `assets/`, with all strings that it may use. */
window.at = async (name) => {
  await import(`${window.files}/texts/late/en.js`);
  return import(`${window.files}/${name}`);
};

/** The page in Chinese; before any module is imported. */
window.speakChinese = () => {
  document.documentElement.lang = "zh-CN";
  const imports = Object.fromEntries(["texts", "texts/late"].map((room) => [`${window.files}/${room}/en.js`, `${window.files}/${room}/zh-CN.js`]));
  document.head.append(Object.assign(document.createElement("script"), { type: "importmap", textContent: JSON.stringify({ imports }) }));
};

/** Collects what is emitted under these names, as [name, value]. */
window.heard = async (...names) => {
  const { on } = await at("core/bus.js");
  const found = [];
  for (const name of names) on(name, (value) => found.push([name, value]));
  return found;
};

window.nextTask = () => new Promise((done) => { setTimeout(done, 0); });

window.until = async (condition) => {
  for (let tries = 0; !await condition(); tries += 1) {
    if (tries > 800) throw new Error(`never: ${condition}`);
    await new Promise((done) => { setTimeout(done, 10); });
  }
};

// Calls of the server are answered here: `answers["GET /api/queue"]` is {status, json}, or a function that makes one.
window.answers = {};
window.calls = []; // {call, key, body}
window.fetch = async (path, { method = "GET", headers = {}, body } = {}) => {
  const call = `${method} ${path}`;
  calls.push({ call, key: headers["Idempotency-Key"], body: typeof body === "string" ? JSON.parse(body) : body });
  const answer = answers[call];
  const { status = 200, json } = typeof answer === "function" ? await answer() : answer ?? { status: 404, json: {} };
  if (!status) throw new TypeError("Failed to fetch");
  return new Response(JSON.stringify(json), { status, headers: { "Content-Type": "application/json" } });
};

/** The form with everything that follows from a change of it, the checkpoints known. */
window.openForm = async (list) => {
  answers["GET /api/checkpoints"] = { json: list };
  answers["GET /api/models?kind=vae"] = { json: [] };
  answers["GET /page/checkpoints"] = { json: list.map(({ id, name }) => [name, id]) };
  const [{ form }, { askForCheckpoints }] = await Promise.all([at("form/store.js"), at("form/checkpoints.js"), at("form/follow.js"), at("form/belongings.js")]);
  await askForCheckpoints();
  return form;
};
