// The voice: the browser's own speech synthesis, in Greek (or English) where the tablet has such a voice.

export function startVoice(lang, onChange) {
  const synthesis = globalThis.speechSynthesis;
  let voice = null;
  const choose = () => {
    const found = (synthesis?.getVoices() ?? []).filter((v) => v.lang.toLowerCase().startsWith(lang));
    // one that speaks without coverage comes first
    voice = found.find((v) => v.localService) ?? found[0] ?? null;
    onChange(voice !== null);
  };
  synthesis?.addEventListener?.("voiceschanged", choose);
  choose();
  return {
    say(text) {
      if (!voice) return;
      synthesis.cancel();
      const words = new SpeechSynthesisUtterance(text);
      words.voice = voice;
      words.lang = voice.lang;
      synthesis.speak(words);
    },
    quiet: () => synthesis?.cancel(),
  };
}
