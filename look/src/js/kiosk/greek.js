// What a Greek keyboard does to text: accents by a dead key, and the sigma at the end of a word.
const TONOS = "\u0301";
const DIALYTIKA = "\u0308";

export const VARIANTS = {
  α: ["ά"], ε: ["έ"], η: ["ή"], ι: ["ί", "ϊ", "ΐ"], ο: ["ό"], υ: ["ύ", "ϋ", "ΰ"], ω: ["ώ"], σ: ["ς"],
};

// A letter with the marks that were struck before it; what can't carry them stays as it is.
export function accented(letter, { tonos, dialytika }) {
  const carries = VARIANTS[letter.toLowerCase()];
  if (!carries || letter.toLowerCase() === "σ") return letter;
  const marks = (dialytika && carries.length > 1 ? DIALYTIKA : "") + (tonos ? TONOS : "");
  return (letter + marks).normalize("NFC");
}

// The sigma that ends a word is ς, one within a word σ. `open` keeps the word at the very end as it is: it is still being typed.
export function settled(text, open = false) {
  const inner = text.replace(/ς(?=\p{L})/gu, "σ");
  return inner.replace(open ? /(\p{L})σ(?=[^\p{L}])/gu : /(\p{L})σ(?!\p{L})/gu, "$1ς");
}
