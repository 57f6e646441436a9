// What opens over the main screen: a new route, the list of stops, messages, the weighbridge, a breakdown, the break, the end.
import { html, nothing } from "lit-html";
import { REASONS } from "./drive.js";
import { sign } from "./signs.js";
import { keypad } from "./start.js";

const LISTED = 12;

/** The sheet that is open; a new route version and a running break open by themselves. */
export function sheetOf(app) {
  if (app.screen !== "drive") return nothing;
  if (app.view?.resting && !app.sheet) return restSheet(app);
  if (app.offered && !app.sheet) return routeSheet(app);
  const open = { stops, stop, messages, unload, breakdown, end, menu }[app.sheet?.name];
  return open ? open(app) : nothing;
}

function frame(app, title, body, { close = true, wide = false } = {}) {
  return html`<dialog class=${wide ? "sheet sheet--wide" : "sheet"} aria-label=${title} @cancel=${(e) => { e.preventDefault(); if (close) app.close(); }}>
    <div class="sheet__head"><h2>${title}</h2>${close ? html`<button class="icon" @click=${() => app.close()} aria-label=${app.t("close")}>${sign("close", 36)}</button>` : nothing}</div>
    ${body}
  </dialog>`;
}

const locked = (app) => html`<p class="note note--lock">${app.t("moving", { n: Math.round(app.kmh() ?? 0) })}</p>`;

function routeSheet(app) {
  const { t, offered } = app;
  const what = app.offeredChanges;
  const bins = offered.stops.filter((s) => s.kind === "bin");
  const figures = [
    [t("stops"), app.number(bins.length)],
    [t("way"), offered.figures?.metres ? `${app.number(offered.figures.metres / 1000, 1)} km` : "—"],
    [t("weight"), `${app.number(Math.round(bins.reduce((sum, s) => sum + (s.kg ?? 0), 0)))} kg`],
    [t("until"), offered.stops.at(-1)?.eta ? app.clock(offered.stops.at(-1).eta) : "—"],
  ];
  const streets = (stops) => stops.slice(0, 4).map((s) => html`<li>${s.street ?? s.id} <span class="code">${s.id}</span>${s.why ? html`<small>${s.why}</small>` : nothing}</li>`);
  const more = (stops) => (stops.length > 4 ? html`<li>${t("and_more", { n: stops.length - 4 })}</li>` : nothing);
  return frame(app, what ? t("new_route") : t("todays_route"), html`
    <p class="lead">${t("version", { n: offered.version })}</p>
    <dl class="sums sums--row">${figures.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    ${what ? html`<div class="what-changed">
      ${what.added.length ? html`<section><h3>${t("added", { n: what.added.length })}</h3><ul>${streets(what.added)}${more(what.added)}</ul></section>` : nothing}
      ${what.dropped.length ? html`<section><h3>${t("dropped", { n: what.dropped.length })}</h3><ul>${streets(what.dropped)}${more(what.dropped)}</ul></section>` : nothing}
      ${what.moved ? html`<section><h3>${t("moved", { n: what.moved })}</h3></section>` : nothing}
      ${!what.added.length && !what.dropped.length && !what.moved ? html`<section><h3>${t("same_stops")}</h3></section>` : nothing}
    </div>` : nothing}
    <button class="big big--go sheet__go" @click=${() => app.accept()}>${sign("check", 36)}${t("accept")}</button>
  `, { close: false });
}

function restSheet(app) {
  const { t } = app;
  const minutes = Math.max(0, Math.floor((app.now() - Date.parse(app.view.resting)) / 60_000));
  return frame(app, t("on_break"), html`
    <p class="rest-clock">${t("minutes", { n: minutes })}</p>
    <p class="lead">${t("since", { at: app.clock(app.view.resting) })}</p>
    <button class="big big--go sheet__go" @click=${() => app.rest()}>${sign("check", 36)}${t("break_end")}</button>
    ${app.offered ? html`<p class="lead">${t("route_waits")}</p>` : nothing}`, { close: false });
}

const STATE_SIGNS = { lifted: "check", missed: "no_access", done: "check", open: null };

function stops(app) {
  const { t, view } = app;
  const from = app.sheet.from ?? Math.max(0, view.next < 0 ? 0 : view.next - 1);
  const shown = view.stops.slice(from, from + LISTED);
  const go = (by) => app.open("stops", { from: Math.min(Math.max(0, from + by), Math.max(0, view.stops.length - 1)) });
  return frame(app, t("stops_of", { done: view.done, all: view.total }), html`
    ${app.lock.moving ? locked(app) : nothing}
    <ol class="stop-list">${shown.map((s) => html`<li>
      <button class=${`stop-row stop-row--${s.state}`} ?disabled=${s.kind !== "bin" || app.lock.moving} aria-current=${s.n === app.nextStop?.n ? "step" : nothing} @click=${() => app.open("stop", { n: s.n, from })}>
        <span class="stop-row__n">${s.n}</span>
        <span class="stop-row__where">${s.kind === "bin" ? s.street ?? s.id : t("kinds")[s.kind]}<small>${s.kind === "bin" ? s.id : ""}${s.disagrees ? ` · ${t("disagrees")}` : ""}</small></span>
        <span class="stop-row__state">${STATE_SIGNS[s.state] ? sign(STATE_SIGNS[s.state], 26) : nothing}${stateWord(app, s)}</span>
      </button></li>`)}</ol>
    <div class="pager">
      <button class="big big--calm" ?disabled=${from === 0} @click=${() => go(-LISTED)}>${t("earlier")}</button>
      <button class="big big--calm" ?disabled=${from + LISTED >= view.stops.length} @click=${() => go(LISTED)}>${t("later")}</button>
    </div>`, { wide: true });
}

function stateWord(app, s) {
  const { t } = app;
  if (s.state === "lifted") return s.saidBy === "lift" && s.kgDone !== null ? `${app.number(Math.round(s.kgDone))} kg` : t("state_lifted");
  if (s.state === "missed") return t("reasons")[s.reason] ?? t("not_lifted");
  if (s.state === "done") return t("state_done");
  return s.eta ? app.clock(s.eta) : "";
}

/** One stop out of its turn: the same taps, and a photo for what was missed. */
function stop(app) {
  const { t } = app;
  const found = app.view.stops.find((s) => s.n === app.sheet.n);
  if (!found) return nothing;
  return frame(app, found.street ?? found.id, html`
    <p class="lead"><span class="code">${found.id}</span> · ${t("streams")[found.stream] ?? found.stream} · ${stateWord(app, found)}</p>
    ${app.lock.moving ? locked(app) : html`
    <button class="big big--go" @click=${() => app.outcome(found, "lifted")}>${sign("check", 36)}${t("lifted_button")}</button>
    <div class="reasons" role="group" aria-label=${t("not_lifted")}>${REASONS.map((reason) => html`<button class="reason" @click=${() => app.outcome(found, "missed", reason)}>${sign(reason, 34)}<span>${t("reasons")[reason]}</span></button>`)}</div>
    ${found.state === "missed" && found.key ? html`<label class="big camera">${sign("camera", 30)}${found.photo ? t("photo_again") : t("photo")}<input class="sr" type="file" accept="image/*" capture="environment"
      @change=${(e) => e.target.files[0] && app.photograph(found.key, e.target.files[0])}></label>` : nothing}`}`);
}

function messages(app) {
  const { t } = app;
  const lines = [...(app.shift?.messages ?? []).filter((m) => !app.pending.some((p) => p.key === m.id)),
    ...app.pending.filter((p) => p.kind === "message").map((p) => ({ id: p.key, sender: "driver", text: p.text, at: p.at, unsent: true }))].slice(-5);
  const write = (event) => { event.preventDefault(); app.write(new FormData(event.target).get("text")); };
  return frame(app, t("messages"), html`
    <ul class="lines" aria-live="polite">${lines.length ? lines.map((m) => html`<li class=${`line line--${m.sender}`}><small>${t(m.sender)} · ${app.clock(m.at)}${m.unsent ? ` · ${t("not_sent_yet")}` : ""}</small>${m.text}</li>`) : html`<li class="empty">${t("no_messages")}</li>`}</ul>
    <div class="canned" role="group" aria-label=${t("one_tap")}>${t("canned").map((text) => html`<button class="big big--calm" @click=${() => app.write(text)}>${text}</button>`)}</div>
    ${app.lock.moving ? locked(app) : html`<form class="write" @submit=${write}><label>${t("own_words")}<input name="text" maxlength="200" autocomplete="off" required></label><button class="big big--go">${t("send")}</button></form>`}`);
}

function unload(app) {
  const { t } = app;
  const press = (key) => {
    if (key === "enter") return app.unload(app.sheet.stop);
    app.kg = key === "erase" ? app.kg.slice(0, -1) : `${app.kg}${key}`.replace(/^0+(?=\d)/, "").slice(0, 5);
    app.draw();
  };
  return frame(app, t("weighbridge"), app.lock.moving ? locked(app) : html`<div class="two">
    <div>
      <p class="lead">${t("weigh_how")}</p>
      <p class="pin" role="status">${app.kg === "" ? "—" : app.number(Number(app.kg))} kg</p>
      <p class="lead">${t("lifts_say", { kg: app.number(app.view?.loadKg ?? 0) })}</p>
      <button class="big big--calm" @click=${() => { app.kg = ""; app.unload(app.sheet.stop); }}>${t("without_kg")}</button>
    </div>
    ${keypad(app, { onKey: press, enterWord: t("unload_do"), ready: app.kg !== "" && Number(app.kg) > 0 && Number(app.kg) <= 60_000 })}
  </div>`);
}

function breakdown(app) {
  const { t } = app;
  return frame(app, t("breakdown_sure"), html`
    <p class="lead">${t("breakdown_why")}</p>
    <div class="reasons reasons--two">${["engine", "lift", "tyre", "accident", "other"].map((fault) => html`<button class="reason reason--bad" @click=${() => app.breakdown(fault)}>${sign(fault === "accident" ? "unsafe" : "breakdown", 34)}<span>${t("faults")[fault]}</span></button>`)}</div>
    <button class="big big--calm sheet__go" @click=${() => app.close()}>${t("no_breakdown")}</button>`);
}

function end(app) {
  const { t, view } = app;
  const open = view ? view.total - view.done : 0;
  return frame(app, t("end_sure"), app.lock.moving ? locked(app) : html`
    <dl class="sums sums--row">
      <div><dt>${t("bins_lifted")}</dt><dd>${view?.lifted ?? 0}</dd></div><div><dt>${t("bins_missed")}</dt><dd>${view?.missed ?? 0}</dd></div>
      <div><dt>${t("bins_open")}</dt><dd>${open}</dd></div><div><dt>${t("weight_lifted")}</dt><dd>${app.number(view?.liftedKg ?? 0)} kg</dd></div>
    </dl>
    ${open ? html`<p class="failed">${t("open_left", { n: open })}</p>` : nothing}
    <button class="big big--go sheet__go" @click=${() => app.end()}>${sign("end", 36)}${t("end_shift")}</button>`);
}

function menu(app) {
  const { t } = app;
  const item = (icon, word, act) => html`<button class="big big--calm" @click=${act}>${sign(icon, 32)}${t(word)}</button>`;
  return frame(app, t("menu"), html`<div class="menu">
    ${item("full", "full", () => { app.close(); app.full(); })}
    ${item("unload", "weighbridge", () => app.open("unload", { stop: app.nextStop?.kind === "station" ? app.nextStop : null }))}
    ${item("rest", "break", () => app.rest())}
    ${item("breakdown", "breakdown", () => app.open("breakdown"))}
    ${item("end", "end", () => app.open("end"))}
  </div>`);
}
