// The main screen: the map with the way, the next turn, the next stop, and one tap for each thing that can happen to a bin.
import { html, nothing } from "lit-html";
import { legTo } from "./guide.js";
import { arrow, sign } from "./signs.js";

export const REASONS = ["not_out", "contaminated", "overloaded", "no_access", "damaged", "unsafe"];
const CAPACITY_NEAR = 0.9;
const ARRIVED = 40; // m: from farther off nobody has "arrived"

export function driveScreen(app, mapPlace) {
  return html`<div class="drive" data-moving=${app.lock.moving}>
    ${bar(app)}
    <main class="drive__side" id="main">${turnPanel(app)}${stopCard(app)}</main>
    <div class="drive__map">${mapPlace}${mapNotes(app)}</div>
    ${footer(app)}
  </div>`;
}

function bar(app) {
  const { t, view } = app;
  const capacity = app.shift?.vehicle?.capacity_kg ?? null;
  const share = view && capacity ? Math.min(1, view.loadKg / capacity) : null;
  return html`<header class="bar">
    <h1 class="bar__stop">${view?.total ? html`<strong>${view.done}</strong>/${view.total} <span>${t("stops_done")}</span>` : t("no_route_short")}</h1>
    <progress class="bar__progress" max=${view?.total || 1} value=${view?.done ?? 0} aria-label=${t("progress")}></progress>
    <p class=${share > CAPACITY_NEAR ? "bar__load bar__load--near" : "bar__load"}>${sign("full", 26)}<span><span class="sr">${t("load")}: </span>${app.number(view?.loadKg ?? 0)}${capacity ? ` / ${app.number(capacity)}` : ""} kg</span></p>
    <p class=${`bar__net bar__net--${app.unsent ? "unsent" : app.online ? "on" : "off"}`} role="status">
      ${app.unsent ? t("unsent", { n: app.unsent }) : app.online ? t("online") : t("offline")}</p>
    <p class="bar__clock">${app.clock(app.now())}</p>
    <button class="icon" aria-pressed=${app.muted || !app.hasVoice} ?disabled=${!app.hasVoice} @click=${() => app.mute()} aria-label=${app.hasVoice ? t(app.muted ? "voice_off" : "voice_on") : t("no_voice")}>${sign(app.muted || !app.hasVoice ? "muted" : "voice", 34)}</button>
    <button class="icon" @click=${() => app.nextTheme()} aria-label=${t(`theme_${app.theme}`)}>${sign(app.theme, 34)}</button>
  </header>`;
}

function turnPanel(app) {
  const { t, guided, view, off } = app;
  if (!view || view.next < 0) return nothing;
  if (off?.off) {
    return html`<section class="turn turn--off" role="status">${sign("unsafe", 64)}<div><p class="turn__far">${t("off_route")}</p><p class="turn__text">${t(app.online ? "off_route_do" : "off_route_offline", { m: app.distance(guided?.air) })}</p></div></section>`;
  }
  if (!guided) return html`<section class="turn turn--none"><p class="turn__text">${t("no_position")}</p></section>`;
  if (!guided.turn) {
    return html`<section class="turn">${arrow(guided.metres === null ? "straight" : "arrive", 84)}<div>
      <p class="turn__far">${app.distance(guided.metres ?? guided.air)}</p>
      <p class="turn__text">${guided.metres === null ? t("no_turns") : t(guided.metres > ARRIVED ? "straight_to_stop" : "arrived")}</p></div></section>`;
  }
  return html`<section class="turn">${arrow(guided.turn.type, 84)}<div>
    <p class="turn__far">${app.distance(guided.turn.metres)}</p>
    <p class="turn__text">${guided.turn.type === "arrive" && guided.turn.metres > ARRIVED ? t("straight_to_stop") : guided.turn.text}</p>
  </div>${guided.then && guided.then.type !== "arrive" ? html`<p class="turn__then">${t("then")} ${arrow(guided.then.type, 44)}</p>` : nothing}</section>`;
}

function stopCard(app) {
  const { t, view } = app;
  const stop = app.nextStop;
  if (!view || !app.route) return html`<section class="stop"><h2>${t("no_route")}</h2><p>${t("no_route_do")}</p></section>`;
  if (!stop) return html`<section class="stop"><h2>${t("all_done")}</h2><p>${t("all_done_do")}</p><button class="big big--go" @click=${() => app.open("end")}>${t("end_shift")}</button></section>`;
  const far = html`<p class="stop__far">${app.distance(app.guided?.metres ?? app.guided?.air ?? legTo(app.route.path, stop.n)?.metres)}${stop.eta ? html` · <time datetime=${stop.eta}>${app.clock(stop.eta)}</time>` : nothing}</p>`;
  if (stop.kind !== "bin") return otherStop(app, stop, far);
  const volume = app.shift?.volumes?.[stop.id] ?? stop.litres;
  const side = app.guided?.side;
  return html`<section class="stop" aria-label=${t("next_stop")}>
    <h2><span class="stop__n">${stop.n}</span>${stop.street ?? t("bin")}</h2>
    <p class="stop__what"><span class="code">${stop.id}</span>${volume ? ` · ${app.number(volume)} l` : ""} · <span class=${`stream stream--${stop.stream}`}>${t("streams")[stop.stream] ?? stop.stream ?? ""}</span>${side ? html` · <strong>${t(side === "right" ? "on_right" : "on_left")}</strong>` : nothing}</p>
    ${far}
    ${stop.why ? html`<p class="stop__why">${stop.why}</p>` : nothing}
    ${stop.why ? nothing : following(app)}
    <button class="big big--go stop__done" @click=${() => app.outcome(stop, "lifted")}>${sign("check", 36)}${t("lifted_button")}</button>
    <div class="reasons" role="group" aria-label=${t("not_lifted")}>${REASONS.map((reason) => html`
      <button class="reason" @click=${() => app.outcome(stop, "missed", reason)}>${sign(reason, 34)}<span>${t("reasons")[reason]}</span></button>`)}</div>
  </section>`;
}

/** The open stops after the next one. */
function following(app) {
  const ahead = app.view.stops.slice(app.view.next + 1).filter((s) => s.state === "open").slice(0, 2);
  return ahead.length ? html`<ol class="ahead" aria-label=${app.t("then")}>${ahead.map((s) => html`<li><b>${s.n}</b> ${s.kind === "bin" ? s.street ?? s.id : app.t("kinds")[s.kind]}</li>`)}</ol>` : nothing;
}

function otherStop(app, stop, far) {
  const { t } = app;
  const act = {
    station: () => app.open("unload", { stop }),
    break: () => app.rest(),
    garage: () => app.open("end"),
  }[stop.kind];
  const icon = { station: "unload", break: "rest", garage: "garage" }[stop.kind];
  return html`<section class="stop" aria-label=${t("next_stop")}>
    <h2><span class="stop__n">${stop.n}</span>${t("kinds")[stop.kind] ?? stop.kind}</h2>
    <p class="stop__what">${stop.street ?? ""}</p>
    ${far}
    ${stop.why ? html`<p class="stop__why">${stop.why}</p>` : nothing}
    <button class="big big--go stop__done" @click=${act}>${sign(icon, 36)}${t(`do_${stop.kind}`)}</button>
  </section>`;
}

/** What lies over the map: the lock, a new route, a message, what has just happened. */
function mapNotes(app) {
  const { t } = app;
  return html`<div class="notes">
    ${app.lock.moving ? html`<p class="note note--lock" role="status">${t("moving", { n: Math.round(app.kmh() ?? 0) })}</p>` : nothing}
    ${app.signedOut ? html`<div class="note note--bad" role="alert"><p>${t("signed_out")}</p><button class="big" @click=${() => { app.who = null; app.route_(); }}>${t("sign_in_again")}</button></div>` : nothing}
    ${app.refused.length ? html`<div class="note note--bad" role="alert"><p>${t("refused", { n: app.refused.length, why: app.refused[0].why })}</p><button class="big" @click=${() => { app.refused = []; app.draw(); }}>${t("understood")}</button></div>` : nothing}
    ${app.unread.length && app.sheet?.name !== "messages" ? html`<div class="note note--message" role="alert">
      <p><strong>${t("dispatcher")}</strong> ${app.unread[0].text}</p>
      <button class="big big--go" @click=${() => { const [first] = app.unread; app.readMessage(first); app.write(t("canned")[0]); }}>${t("canned")[0]}</button>
    </div>` : nothing}
    ${app.toast ? toast(app) : nothing}
  </div>`;
}

function toast(app) {
  const { t, toast: said } = app;
  return html`<div class=${`note note--toast ${said.bad ? "note--bad" : said.good ? "note--good" : ""}`} role="status">
    <p>${said.text}</p>
    <div class="note__do">
      ${said.photoOf && !app.lock.moving ? html`<label class="big camera">${sign("camera", 30)}${t("photo")}<input class="sr" type="file" accept="image/*" capture="environment"
        @change=${(e) => e.target.files[0] && app.photograph(said.photoOf, e.target.files[0])}></label>` : nothing}
      ${said.undo && app.entries.some((e) => e.seq === said.undo.seq) ? html`<button class="big" @click=${() => app.undo()}>${sign("undo", 30)}${t("undo")}</button>` : nothing}
    </div>
  </div>`;
}

function footer(app) {
  const { t } = app;
  const item = (icon, word, act, more = "", count = 0) => html`<button class=${`do ${more}`} @click=${act}>${sign(icon, 32)}<span>${t(word)}</span>${count ? html`<b class="do__count">${count}<span class="sr"> ${t("new_ones")}</span></b>` : nothing}</button>`;
  return html`<nav class="foot" aria-label=${t("actions")}>
    ${item("list", "stops", () => app.open("stops"))}
    ${item("message", "messages", () => app.open("messages"), "", app.unread.length)}
    ${item("full", "full", () => app.full(), "do--wide")}
    ${item("unload", "weighbridge", () => app.open("unload", { stop: app.nextStop?.kind === "station" ? app.nextStop : null }), "do--wide")}
    ${item("rest", "break", () => app.rest(), "do--wide")}
    ${item("breakdown", "breakdown", () => app.open("breakdown"), "do--wide do--bad")}
    ${item("end", "end", () => app.open("end"), "do--wide")}
    ${item("menu", "menu", () => app.open("menu"), "do--narrow")}
  </nav>`;
}
