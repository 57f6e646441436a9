// Draws a case's BPMN diagram: boxes that are behind are quiet, the one where the case is now stands out. The list beside it says the same.
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer";

async function draw(part) {
  const answer = await fetch(part.dataset.diagram, { headers: { Accept: "application/xml" } });
  if (!answer.ok) return;
  const xml = await answer.text();
  part.hidden = false;
  const viewer = new NavigatedViewer({ container: part });
  await viewer.importXML(xml);
  const canvas = viewer.get("canvas");
  const known = viewer.get("elementRegistry");
  const mark = (ids, name) => ids?.split(" ").filter((id) => id && known.get(id)).forEach((id) => canvas.addMarker(id, name));
  mark(part.dataset.passed, "passed");
  mark(part.dataset.tokens, "here");
  canvas.zoom("fit-viewport", "auto");
  const drawing = part.querySelector("svg");
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", part.dataset.label);
  part.dataset.drawn = "yes";
}

for (const part of document.querySelectorAll("[data-diagram]")) draw(part);
