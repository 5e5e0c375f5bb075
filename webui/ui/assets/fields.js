// What Python's declarations say of each field of a request: where its control stands and of what kind it is.

const fields = given.fields;

/** Names of the fields whose controls stand in these groups, in the order of their declaration. */
const fieldsIn = (...groups) => Object.keys(fields).filter((name) => groups.includes(fields[name].group));

/** The same in rows: what stands side by side is in one. */
function rowsIn(...groups) {
  const rows = [];
  for (const name of fieldsIn(...groups)) {
    if (fields[name].beside) rows.at(-1).push(name);
    else rows.push([name]);
  }
  return rows;
}

/** Whether a field's control is one of Gradio's, which can be greyed out. */
const isOrdinary = (name) => ![null, "picture", "json"].includes(fields[name]?.kind ?? null);
