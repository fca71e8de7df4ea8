/* What the pages do beyond forms and links: live changes, keys, panels. Everything essential works without it. */
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const body = document.body;
  const make = (tag, text, attributes = {}) => {
    const element = Object.assign(document.createElement(tag), { textContent: text });
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };

  /* panels: a control with a form or a question opens it in place; the link alone would do it with a new page */
  function dress(root = document) {
    for (const opener of all("[data-open]", root)) {
      opener.setAttribute("role", "button");
      /* without a script it leads nowhere while another form is open; here the words themselves are watched */
      opener.setAttribute("href", `?open=${opener.dataset.open}#panel-${opener.dataset.open}`);
    }
    for (const button of all("[data-keys]", root)) button.hidden = false;
    relate(root);
    picked();
    hold();
  }
  function toggle(verb, open) {
    for (const panel of all("[data-panel]")) panel.hidden = !(open && panel.dataset.panel === verb);
    for (const opener of all("[data-open]")) opener.setAttribute("aria-expanded", String(open && opener.dataset.open === verb));
    const menu = $(".more[open]");
    if (menu) menu.open = false;
    if (!open) return;
    const panel = $(`[data-panel="${verb}"]`);
    const first = $("[aria-invalid], .tap, input:not([type=hidden]), textarea, select, [data-submit]", panel);
    panel.scrollIntoView({ block: "nearest" });
    (first || panel).focus();
  }
  body.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) {
      event.preventDefault();
      if (opener.getAttribute("aria-disabled") === "true") return;
      if (unsaved()) toggle(opener.dataset.open, true);
      else toggle(opener.dataset.open, opener.getAttribute("aria-expanded") !== "true");
      return;
    }
    const close = event.target.closest("[data-close]");
    if (close) {
      event.preventDefault();
      discard(close.closest("[data-panel]"));
      return;
    }
    if (event.target.closest("[data-discard]") && unsaved()) {
      discard(unsaved());
      return;
    }
    if (event.target.closest("[data-keys]")) $("#keys").showModal();
    if (event.target.closest("[data-dismiss]")) event.target.closest(".toast").remove();
    if (!event.target.closest(".more")) for (const menu of all(".more[open]")) menu.open = false;
  });

  /* unsaved words: while a form holds some, no other control acts, lest the original be decided in their place */
  const unsaved = () => all("#review [data-panel]").find((panel) => "unsaved" in panel.dataset || dirty(panel));
  const warning = (panel) => `You have unsaved changes in ${$("h2", panel).textContent}: save or discard them first.`;
  function hold() {
    const panel = unsaved();
    const verb = panel?.dataset.panel;
    for (const button of all(".acts form button")) button.disabled = Boolean(panel);
    for (const opener of all(".acts [data-open]")) opener.setAttribute("aria-disabled", String(Boolean(panel) && opener.dataset.open !== verb));
    for (const other of all("[data-panel]")) {
      const submit = $("[data-submit]", other);
      submit.dataset.look ??= submit.className;
      submit.className = other === panel && !submit.dataset.look ? "primary" : submit.dataset.look;
      $("[data-close]", other).textContent = other === panel ? "Discard" : "Not now";
    }
    const note = $(".acts .unsaved");
    if (!note || note.dataset.of === (verb ?? "")) return;
    note.dataset.of = verb ?? "";
    note.replaceChildren();
    if (panel) note.append(make("span", warning(panel)), make("button", "Discard", { type: "button", "data-discard": "" }));
  }
  function discard(panel) {
    /* what the server gave back as typed is no longer known as the original here: only a new page is */
    if ("unsaved" in panel.dataset) return location.assign($("[data-close]", panel).href);
    const verb = panel.dataset.panel;
    $("form", panel).reset();
    toggle(verb, false);
    hold();
    $(`[data-open="${verb}"]`)?.focus();
  }
  for (const kind of ["input", "change"]) body.addEventListener(kind, (event) => { if (event.target.closest("[data-panel]")) hold(); });
  document.addEventListener("submit", (event) => {
    const panel = unsaved();
    if (!panel || panel.contains(event.target) || !event.target.closest("#review")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    hold();
    say(warning(panel));
  }, true);

  /* keys: they move the focus; none decides by itself */
  function step(by) {
    const lines = all(".item .open");
    const at = lines.indexOf(document.activeElement);
    lines[at < 0 ? (by > 0 ? 0 : lines.length - 1) : Math.min(lines.length - 1, Math.max(0, at + by))]?.focus();
  }
  function reach(key) {
    const control = $(`[data-key="${key}"]`);
    if (!control) return false;
    const menu = control.closest(".more");
    if (menu) menu.open = true;
    if (key === "u") control.click();
    else control.focus();
    return true;
  }
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.key === "Escape" && !$("dialog[open]")) {
      const menu = $(".more[open]");
      const panel = $("[data-panel]:not([hidden])");
      if (menu) { menu.open = false; $("summary", menu).focus(); }
      else if (panel && !dirty(panel)) { toggle(panel.dataset.panel, false); $(`[data-open="${panel.dataset.panel}"]`)?.focus(); }
      return;
    }
    if (event.key === " " && at.matches("a[role=button]")) { event.preventDefault(); at.click(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || at.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
    if (event.key === "?") { $("#keys")?.showModal(); event.preventDefault(); }
    else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
    else if (event.key.length === 1 && reach(event.key)) event.preventDefault();
  });

  /* times: the server wrote them once, here they go on */
  const span = (seconds) => {
    const [minutes, hours, days] = [60, 3600, 86400].map((unit) => Math.floor(seconds / unit));
    if (seconds < 60) return `${Math.floor(seconds)} s`;
    if (minutes < 60) return `${minutes} min`;
    if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
    return hours % 24 && days < 3 ? `${days} d ${hours % 24} h` : `${days} d`;
  };
  function relate(root = document) {
    for (const time of all("time[data-relative]", root)) {
      const left = (new Date(time.dateTime) - Date.now()) / 1000;
      time.textContent = Math.abs(left) < 1 ? "now" : left > 0 ? `in ${span(left)}` : `${span(-left)} ago`;
    }
  }

  /* bulk: only chosen ones, only of one action */
  function picked() {
    const boxes = all(".queue input[name=pick]");
    const chosen = boxes.filter((box) => box.checked);
    for (const box of boxes) box.disabled = chosen.length > 0 && box.dataset.action !== chosen[0].dataset.action;
    const button = $("#bulk-button");
    if (!button) return;
    button.disabled = chosen.length === 0;
    button.textContent = chosen.length ? `Approve ${chosen.length} chosen…` : "Approve the chosen ones…";
  }
  body.addEventListener("change", (event) => { if (event.target.name === "pick") picked(); });

  /* live */
  const say = (text, good = false) => {
    const line = make("p", "", { class: `answer ${good ? "good" : "bad"}` });
    line.append(make("strong", good ? "Done." : "Not done."), ` ${text}`);
    $("#answer")?.replaceChildren(line);
    line.scrollIntoView({ block: "nearest" });
  };
  function toast({ review, text }) {
    const key = review || text;
    if (body.dataset.review === review || all(".toast").some((other) => other.dataset.of === key)) return;
    const box = make("div", "", { class: "toast" });
    box.dataset.of = key;
    box.append(review ? make("a", text, { href: `/reviews/${review}` }) : make("span", text));
    box.append(make("button", "✕", { type: "button", "data-dismiss": "", "aria-label": "Dismiss" }));
    $("#toasts").append(box);
  }
  const dirty = (root) =>
    all("input, textarea, select", root).some((field) =>
      field.type === "hidden" ? false
      : field.type === "radio" || field.type === "checkbox" ? field.checked !== field.defaultChecked
      : field.tagName === "SELECT" ? all("option", field).some((o) => o.selected !== o.defaultSelected && (o.defaultSelected || o.value))
      : field.value !== field.defaultValue);
  const busy = (article) =>
    "revealed" in article.dataset || $("[data-panel]:not([hidden])", article) || all("form", article).some(dirty);

  async function look() {
    const here = $("#review");
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) return changed("This review is no longer yours to see.");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const there = $("#review", page);
    if (!there || there.dataset.version === here.dataset.version) return;
    if (there.dataset.revision !== here.dataset.revision) {
      here.classList.add("stale");
      changed(`This changed: it is revision ${there.dataset.revision} now. What you see is older.`);
    } else if (busy(here)) {
      changed(`This changed: ${$(".pill", there)?.textContent ?? "see what is new"}.`);
    } else swap(here, there);
  }
  function swap(here, there) {
    const focused = document.activeElement?.id;
    here.replaceWith(document.adoptNode(there));
    window.htmx?.process(there);
    dress(there);
    if (focused) document.getElementById(focused)?.focus();
    $("#changed").replaceChildren();
  }
  function changed(text) {
    const line = make("p", text);
    line.append(make("a", "Show it", { href: `/reviews/${body.dataset.review}`, class: "button" }));
    $("#changed").replaceChildren(line);
  }

  let waiting = null;
  function refresh() {
    /* many changes at once are one look; the first is not held back long */
    waiting ??= setTimeout(() => {
      waiting = null;
      if (body.dataset.review) look().catch(() => {});
      else window.htmx?.trigger(body, "placet:changed");
    }, 120);
  }
  function listen() {
    const where = new URLSearchParams({ seen: body.dataset.seen });
    if (body.dataset.review) where.set("review", body.dataset.review);
    const stream = new EventSource(`/events/stream?${where}`);
    const state = (text) => { if ($("#live")) $("#live").textContent = text; };
    stream.addEventListener("hello", () => { state(""); body.dataset.connected = "yes"; });
    stream.addEventListener("sync", () => { state(""); body.dataset.connected = "yes"; refresh(); });
    stream.addEventListener("queue", refresh);
    stream.addEventListener("review", (event) => {
      if (String(JSON.parse(event.data).version) !== $("#review")?.dataset.version) refresh();
    });
    stream.addEventListener("toast", (event) => toast(JSON.parse(event.data)));
    stream.addEventListener("error", () => state(stream.readyState === EventSource.CLOSED ? "not live: reload" : "reconnecting…"));
    addEventListener("pagehide", () => stream.close());
  }

  /* htmx: keep what was chosen in the queue; tell what went wrong; show the answer */
  let kept = null;
  body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "queue") return;
    kept = { chosen: new Set(all(".queue input[name=pick]:checked").map((box) => box.value)), at: document.activeElement?.closest(".item")?.dataset.item, typed: $("#action")?.value, typing: document.activeElement?.id === "action" };
  });
  body.addEventListener("htmx:afterSwap", () => {
    if (!kept) return;
    for (const box of all(".queue input[name=pick]")) box.checked = kept.chosen.has(box.value);
    if (kept.at) $(`[data-item="${CSS.escape(kept.at)}"] .open`)?.focus();
    if ($("#action")) { $("#action").value = kept.typed; if (kept.typing) $("#action").focus(); }
    kept = null;
  });
  body.addEventListener("htmx:afterSettle", (event) => {
    dress();
    if (event.detail.requestConfig?.verb !== "post") return;
    $("#changed")?.replaceChildren();
    const wrong = $("[aria-invalid]");
    if (wrong) wrong.focus();
    else { $("#answer").focus({ preventScroll: true }); scrollTo({ top: 0 }); }
  });
  body.addEventListener("htmx:responseError", (event) => {
    const text = { 400: "This page is out of date. Reload it and repeat.", 401: "Your session has ended. Sign in in another tab, then reload.", 404: "It is no longer here, or no longer yours to see." };
    say(text[event.detail.xhr.status] ?? "The server did not take it. Try again in a moment.");
  });
  body.addEventListener("htmx:sendError", () => say("The server cannot be reached. What you typed is still here; try again."));

  dress();
  const open = $("[data-panel]:not([hidden])");
  if (open) toggle(open.dataset.panel, true);
  setInterval(relate, 5000);
  if ("live" in body.dataset) listen();
})();
