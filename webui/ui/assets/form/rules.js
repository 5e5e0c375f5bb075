// Evaluates rules as data, just as `webui/rules/evaluate.py` does; both are held to the same test vectors. Knows no rule,
// no control and no page: `settings` are a request's fields by name, `facts` what of a checkpoint rules may ask for.

/** What is refused of these settings, by the first rule that refuses something; null where all let them through. */
export function firstRefusal(rules, settings, defaults, facts) {
  const isAsked = ({ effect, field }) => effect === "error" || !isAlike(settings[field] ?? null, defaults[field] ?? null);
  const found = rules.find((rule) => rule.effect !== "inactive" && isAsked(rule) && holds(rule.when, settings, facts));
  if (!found) return null;
  const { field, reason, limit } = found;
  return limit === null ? { field, reason } : { field, reason, limit: numberOf(limit, settings, facts) };
}

/** The fields that say nothing beside the others, each with the reason that the first rule gives. */
export function inactiveFields(rules, settings, facts) {
  const found = {};
  for (const { field, effect, reason, when } of rules) {
    if (effect !== "error" && !(field in found) && holds(when, settings, facts)) found[field] = reason;
  }
  return found;
}

/** Whether the condition is true of the settings and the checkpoint. */
export function holds([operator, ...operands], settings, facts) {
  const [name, ...more] = operands;
  const isTrue = (other) => holds(other, settings, facts);
  const number = (operand) => numberOf(operand, settings, facts);
  switch (operator) {
    case "all": return operands.every(isTrue);
    case "any": return operands.some(isTrue);
    case "not": return !isTrue(name);
    case "set": return operands.some((field) => isSet(settings[field]));
    case "one_of": return more.includes(settings[name]);
    case "at_most": return number(name) <= number(more[0]);
    case "at_least": return number(name) >= number(more[0]);
    case "above": return number(name) > number(more[0]);
    case "lacks": return facts.lacking.includes(name);
    case "offers_only": return isAlike(choicesOf(facts, settings, name), more);
    case "one_choice": return choicesOf(facts, settings, ...operands).length === 1;
    case "not_offered": {
      const offered = choicesOf(facts, settings, ...operands);
      return offered.length > 0 && (settings[name] ?? null) !== null && !offered.includes(settings[name]);
    }
    default: throw new Error(`no such condition: ${operator}`);
  }
}

/** The values that a field can have, or those beside the field `by`; none where nothing is known of them. */
export function choicesOf(facts, settings, name, ...by) {
  const found = by.reduce((known, other) => (Array.isArray(known) ? known : known?.[settings[other]]), facts.choices[name]);
  return found ?? [];
}

const isSet = (value) => (Array.isArray(value) ? value.length > 0 : Boolean(value));

function numberOf(operand, settings, facts) {
  if (Array.isArray(operand)) return operand.reduce((sum, one) => sum + numberOf(one, settings, facts), 0);
  if (typeof operand !== "string") return operand;
  const [name, ...path] = operand.split(".");
  return summed(name in settings ? settings[name] : facts[name], path);
}

/** The number at the end of the path, NaN where there is none; of a list, all of its members added up. */
function summed(value, path) {
  if (Array.isArray(value)) return value.reduce((sum, one) => sum + summed(one, path), 0);
  if (path.length) return summed(value?.[path[0]], path.slice(1));
  return value === null || value === "" ? NaN : Number(value);
}

/** Whether two values are the same JSON. */
export function isAlike(one, other) {
  if (one === null || other === null || typeof one !== "object" || typeof other !== "object") return one === other;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => isAlike(one[name], other[name] ?? null));
}
