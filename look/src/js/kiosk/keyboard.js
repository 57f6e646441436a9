// The keyboard on the screen: Greek, Latin for addresses, digits. Keys write where the cursor stands; a keyboard of the house works as well.
import { accented, settled, VARIANTS } from "./greek.js";

const DIGITS = [..."1234567890"];
const LAYOUTS = {
  greek: [DIGITS, [..."ςερτυθιοπ"], [..."ασδφγηξκλ"], [..."ζχψωβνμ"], ["tonos", "dialytika", "-", "/"]],
  latin: [DIGITS, [..."qwertyuiop"], [..."asdfghjkl"], [..."zxcvbnm"], ["@", "_", "-", "/"]],
  digits: [[..."123"], [..."456"], [..."789"], ["/", "0", ".", "left"]],
};
const FACES = { tonos: "΄", dialytika: "¨", shift: "⇧", erase: "⌫", left: "←", right: "→", enter: "↵", next: "⇥", hide: "▾" };
const OTHER = { greek: ["latin", "ABC"], latin: ["greek", "ΑΒΓ"] };
const HELD = 450;
const TYPED = "input:not([type=radio], [type=checkbox], [type=file], [type=hidden]), textarea";

export function keyboard(part) {
  let field = null;
  let layout = "greek";
  let marks = { tonos: false, dialytika: false };
  let shift = false;
  let variants = null;
  let holding = 0;
  let held = false;

  const fields = () => [...document.querySelectorAll(TYPED)].filter((one) => !one.readOnly && one.offsetParent);

  for (const one of document.querySelectorAll(TYPED)) {
    one.dataset.typed = one.inputMode;
    one.inputMode = "none";
    one.autocomplete = "off";
    one.spellcheck = false;
    one.addEventListener("focus", () => open(one));
    one.addEventListener("blur", () => rewrite(settled(one.value)));
  }
  // the keyboard stays beside the field while its keys are touched
  part.addEventListener("mousedown", (event) => event.preventDefault());
  part.addEventListener("pointerdown", (event) => hold(event.target.closest("[data-key]")));
  for (const kind of ["pointerup", "pointercancel", "pointerleave"]) part.addEventListener(kind, () => clearTimeout(holding));
  part.addEventListener("click", (event) => {
    const key = event.target.closest("[data-key]");
    if (key && !held) strike(key.dataset.key);
    held = false;
  });

  function open(one) {
    if (one.readOnly) return;
    field = one;
    const wanted = one.dataset.typed;
    layout = ["numeric", "tel", "decimal"].includes(wanted) ? "digits" : ["email", "url"].includes(wanted) ? "latin" : "greek";
    clear();
    draw();
    part.hidden = false;
    one.scrollIntoView({ block: "center" });
  }

  function close() {
    part.hidden = true;
    field?.blur();
  }

  function clear() {
    marks = { tonos: false, dialytika: false };
    shift = false;
    variants = null;
  }

  function hold(key) {
    held = false;
    clearTimeout(holding);
    const more = key && VARIANTS[key.dataset.key.toLowerCase()];
    if (!more) return;
    holding = setTimeout(() => {
      held = true;
      variants = more;
      draw();
    }, HELD);
  }

  function strike(key) {
    switch (key) {
      case "tonos": case "dialytika":
        marks = { ...marks, [key]: !marks[key] };
        draw();
        return;
      case "shift":
        shift = !shift;
        draw();
        return;
      case "greek": case "latin":
        layout = key;
        clear();
        draw();
        return;
      case "erase": erase(); break;
      case "left": case "right": step(key === "left" ? -1 : 1); break;
      case "space": write(" "); break;
      case "enter": write("\n"); break;
      case "next": next(); return;
      case "hide": close(); return;
      default: write(shift ? accented(key, marks).toUpperCase() : accented(key, marks));
    }
    if (marks.tonos || marks.dialytika || shift || variants) {
      clear();
      draw();
    }
  }

  function write(text) {
    const { selectionStart: from, selectionEnd: to, maxLength, value } = field;
    if (maxLength >= 0 && value.length - (to - from) + text.length > maxLength) return;
    field.setRangeText(text, from, to, "end");
    rewrite(settled(field.value, true));
    tell();
  }

  function erase() {
    const { selectionStart: from, selectionEnd: to } = field;
    field.setRangeText("", from === to ? Math.max(0, from - 1) : from, to, "end");
    tell();
  }

  function step(by) {
    const at = Math.max(0, Math.min(field.value.length, field.selectionStart + by));
    field.setSelectionRange(at, at);
  }

  function next() {
    const all = fields();
    const following = all[all.indexOf(field) + 1];
    if (following) following.focus();
    else close();
  }

  // the text keeps its length, so the cursor keeps its place
  function rewrite(text) {
    if (!field || text === field.value) return;
    const at = field.selectionStart;
    field.value = text;
    field.setSelectionRange(at, at);
  }

  function tell() {
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function draw() {
    const rows = LAYOUTS[layout].map((row) => row.map((key) => [key]));
    const last = rows.at(-1);
    const ends = [...(field.tagName === "TEXTAREA" ? [["enter"]] : []), ["next", "strong"], ["hide"]];
    if (layout === "digits") [["erase"], ...ends].forEach((key, n) => rows[n].push(key));
    else {
      rows.at(-2).unshift(["shift"]);
      rows.at(-2).push(["erase", "wide"]);
      last.unshift([OTHER[layout][0]]);
      last.push(["space", "space"], ["."], ["left"], ["right"], ...ends);
    }
    if (variants) rows.unshift(variants.map((key) => [key, "variant"]));
    part.classList.toggle("keys--digits", layout === "digits");
    part.replaceChildren(...rows.map(drawn));
  }

  function drawn(row) {
    const line = document.createElement("div");
    line.className = "keys__row";
    for (const [key, kind] of row) {
      const button = document.createElement("button");
      button.type = "button";
      button.tabIndex = -1;
      button.dataset.key = key;
      button.className = kind ? `key key--${kind}` : "key";
      const said = part.dataset[key];
      button.textContent = OTHER[layout]?.[0] === key ? OTHER[layout][1] : key === "space" ? said : FACES[key] ?? (shift ? key.toUpperCase() : key);
      if (said && key !== "space") button.setAttribute("aria-label", said);
      if (key === "shift" || key in marks) button.setAttribute("aria-pressed", String(key === "shift" ? shift : marks[key]));
      line.append(button);
    }
    return line;
  }
}
