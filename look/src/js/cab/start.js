// Before the wheels turn: which truck, who drives, is the truck fit; and after they stand: what the shift came to.
import { html, nothing } from "lit-html";
import { sign } from "./signs.js";

export function truckScreen(app) {
  const { t } = app;
  return html`<main class="start" id="main">
    <h1>${t("which_truck")}</h1>
    <p class="lead">${t("which_truck_why")}</p>
    ${app.trucks === null
      ? html`<p class="empty">${app.online ? t("loading") : t("needs_coverage")}</p>`
      : app.trucks.length === 0
        ? html`<p class="empty">${t("no_trucks")}</p>`
        : html`<ul class="choices-big">${app.trucks.map((truck) => html`<li>
            <button class="big" @click=${() => app.chooseTruck(truck)}>${sign("truck", 40)}<span>${truck.name}<small>${truck.plate ?? truck.edge}</small></span></button>
          </li>`)}</ul>`}
    ${app.trucks === null && !app.online ? html`<button class="big big--calm" @click=${() => app.loadTrucks()}>${t("try_again")}</button>` : nothing}
  </main>`;
}

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "erase", "0", "enter"];

export function keypad(app, { onKey, enterWord, ready }) {
  const { t } = app;
  return html`<div class="keypad" role="group" aria-label=${t("digits")}>${KEYS.map((key) =>
    key === "enter"
      ? html`<button class="key key--enter" ?disabled=${!ready} @click=${() => onKey("enter")}>${enterWord}</button>`
      : key === "erase"
        ? html`<button class="key" aria-label=${t("erase")} @click=${() => onKey("erase")}>${sign("erase", 40)}</button>`
        : html`<button class="key" @click=${() => onKey(key)}>${key}</button>`)}</div>`;
}

export function signInScreen(app) {
  const { t } = app;
  const press = (key) => (key === "enter" ? app.signIn({ pin: app.pin }) : app.digit(key));
  return html`<main class="start start--two" id="main">
    <section>
      <p class="truck-name">${sign("truck", 36)}<span>${app.truck.name}<small>${app.truck.plate ?? app.truck.edge}</small></span></p>
      <h1>${t("sign_in")}</h1>
      <p class="lead">${t("sign_in_how")}</p>
      <p class="pin" role="status" aria-label=${t("pin_digits", { n: app.pin.length })}>${"●".repeat(app.pin.length)}<span aria-hidden="true">${"○".repeat(Math.max(0, 6 - app.pin.length))}</span></p>
      <p class="failed" role="alert">${app.trying ? t("trying") : app.failed}</p>
      ${app.unsent ? html`<p class="lead">${t("unsent_sign_in", { n: app.unsent })}</p>` : nothing}
      <button class="big big--calm" @click=${() => app.forgetTruck()}>${t("other_truck")}</button>
    </section>
    ${keypad(app, { onKey: press, enterWord: t("enter"), ready: app.pin.length >= 6 && !app.trying })}
  </main>`;
}

export function checkScreen(app) {
  const { t } = app;
  const items = t("checks");
  const answered = items.filter(({ item }) => item in app.checks);
  const bad = items.filter(({ item }) => app.checks[item] === false);
  const critical = bad.some(({ stops }) => stops);
  const set = (item, ok) => { app.checks = { ...app.checks, [item]: ok }; app.draw(); };
  const rest = () => { app.checks = { ...Object.fromEntries(items.map(({ item }) => [item, true])), ...app.checks }; app.draw(); };
  return html`<main class="start start--check" id="main">
    <h1>${t("vehicle_check")} <small>${app.truck.name} · ${app.who.name}</small></h1>
    <div class="checks">${items.map(({ item, text }) => html`<div class=${app.checks[item] === false ? "check check--bad" : "check"} role="group" aria-label=${text}>
      <span class="check__what">${text}</span>
      <span class="check__say">
        <button class="mark mark--ok" aria-pressed=${app.checks[item] === true} @click=${() => set(item, true)}>${t("ok")}</button>
        <button class="mark mark--bad" aria-pressed=${app.checks[item] === false} @click=${() => set(item, false)}>${t("defect")}</button>
      </span>
      ${app.checks[item] === false
        ? html`<label class="check__note">${t("defect_note")}<input maxlength="200" autocomplete="off" .value=${app.notes[item] ?? ""} @input=${(e) => { app.notes[item] = e.target.value; }}></label>`
        : nothing}
    </div>`)}</div>
    <div class="start__do">
      ${bad.length ? html`<p class="failed" role="status">${t(critical ? "defects_critical" : "defects_said", { n: bad.length })}</p>` : nothing}
      ${answered.length < items.length ? html`<button class="big big--calm" @click=${rest}>${t("rest_ok")}</button>` : nothing}
      ${critical ? html`<button class="big big--bad" ?disabled=${answered.length < items.length} @click=${() => app.begin({ broken: true })}>${t("does_not_leave")}</button>` : nothing}
      <button class=${critical ? "big big--calm" : "big big--go"} ?disabled=${answered.length < items.length} @click=${() => app.begin()}>${t(bad.length ? "begin_with_defects" : "begin")}</button>
    </div>
  </main>`;
}

export function summaryScreen(app) {
  const { t, summary: s } = app;
  const hours = (Date.parse(s.ended) - Date.parse(s.began)) / 3_600_000;
  const rows = [
    [t("bins_lifted"), s.lifted], [t("bins_missed"), s.missed], [t("bins_open"), s.open], [t("weight_lifted"), `${app.number(s.kg)} kg`],
    [t("unloads"), `${s.unloads}${s.unloadedKg ? ` · ${app.number(s.unloadedKg)} kg` : ""}`],
    [t("duration"), t("hours", { h: Math.floor(hours), m: Math.round((hours % 1) * 60) })],
  ];
  return html`<main class="start" id="main">
    <h1>${t("shift_closed")} <small>${s.name}</small></h1>
    <dl class="sums">${rows.map(([what, much]) => html`<div><dt>${what}</dt><dd>${much}</dd></div>`)}</dl>
    <p class="lead" role="status">${app.entries.length ? t("still_unsent", { n: app.entries.length }) : t("all_sent")}</p>
    ${app.signedOut && app.entries.length
      ? html`<button class="big big--calm" @click=${() => { app.summary = null; app.who = null; app.route_(); }}>${t("sign_in_again")}</button>`
      : html`<button class="big big--go" ?disabled=${app.entries.length > 0} @click=${() => app.signOut()}>${t("sign_out")}</button>`}
  </main>`;
}
