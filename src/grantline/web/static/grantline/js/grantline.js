// The console's behavior. Every page works without it but for copying; it adds: copy buttons, the theme
// switch, "/" for search, menus and dialogs, the file drop area, protection from a double submit, fresh
// relative times, tabs within a page and toasts. All by delegation, so that what htmx brings works too.
(function () {
  "use strict";
  const root = document.documentElement;

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest(selector);
    const copyButton = on("[data-copy]");
    const opener = on("[data-opens]");
    const themeButton = on("[data-theme-choice]");
    if (copyButton) copy(copyButton);
    if (opener) open(document.getElementById(opener.dataset.opens));
    if (themeButton) chooseTheme(themeButton.dataset.themeChoice);
    if (on("[data-closes]")) on("dialog")?.close();
    if (on("[data-toast-close]")) on(".toast").remove();
    if (on("[data-reload]")) location.reload();
    if (event.target instanceof HTMLDialogElement && outside(event)) event.target.close();
    closeMenus(on("[data-menu]"));
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") closeMenus(null, true);
    if (event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !typing(event.target)) {
      event.preventDefault();
      const search = document.querySelector("[data-search]");
      search?.focus();
      search?.select();
    }
    const tab = event.target.closest?.("[data-tabs] [role=tab]");
    if (tab) moveTab(event, tab);
  });

  const typing = (element) =>
    element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) || element.closest("dialog[open]");

  // ---- copying

  async function copy(button) {
    const text = button.dataset.copy || button.closest("[data-copy-scope]")?.querySelector("[data-copy-text]")?.textContent;
    const word = button.querySelector("[data-copy-word]");
    const done = await toClipboard(text || "");
    button.classList.toggle("copy--done", done);
    if (word) word.textContent = done ? "Copied" : "Press Ctrl+C";
    say(done ? "Copied" : "Copying is not allowed here. The text is selected: press Ctrl+C.");
    if (!done) select(button);
    clearTimeout(button.copyTimer);
    button.copyTimer = setTimeout(() => {
      button.classList.remove("copy--done");
      if (word) word.textContent = "Copy";
    }, 2000);
  }

  async function toClipboard(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // No clipboard outside a secure context (plain http on another machine): the old way.
      const area = document.createElement("textarea");
      area.value = text;
      area.className = "visually-hidden";
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  }

  function select(button) {
    const text = button.closest("[data-copy-scope]")?.querySelector("[data-copy-text]");
    if (text) getSelection().selectAllChildren(text);
  }

  // Spoken to screen readers, not shown.
  function say(text) {
    let place = document.getElementById("spoken");
    if (!place) {
      place = Object.assign(document.createElement("p"), { id: "spoken", className: "visually-hidden" });
      place.setAttribute("aria-live", "polite");
      document.body.append(place);
    }
    place.textContent = "";
    setTimeout(() => (place.textContent = text), 50);
  }

  // ---- theme

  function chooseTheme(choice) {
    if (choice === "auto") delete root.dataset.theme;
    else root.dataset.theme = choice;
    try {
      if (choice === "auto") localStorage.removeItem("grantline-theme");
      else localStorage.setItem("grantline-theme", choice);
    } catch {
      // Storage is forbidden: the choice lasts for this page.
    }
    showTheme();
  }

  function showTheme() {
    const chosen = root.dataset.theme || "auto";
    for (const button of document.querySelectorAll("[data-theme-choice]"))
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosen));
  }

  // ---- menus and dialogs

  function closeMenus(except, refocus) {
    for (const menu of document.querySelectorAll("[data-menu][open]")) {
      if (menu === except) continue;
      menu.open = false;
      if (refocus) menu.querySelector("summary").focus();
    }
  }

  function open(dialog) {
    if (dialog && !dialog.open) dialog.showModal();
  }

  function outside(event) {
    const box = event.target.getBoundingClientRect();
    const { clientX: x, clientY: y, detail } = event;
    return detail > 0 && (x < box.left || x > box.right || y < box.top || y > box.bottom);
  }

  // ---- forms

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "get" || form.method === "dialog") return;
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    // After the browser has read the form: a disabled button's own value would not be sent.
    setTimeout(() => {
      const button = event.submitter;
      if (button) button.setAttribute("aria-busy", "true");
    });
    // An answer that is a download leaves the page standing: free the form again.
    setTimeout(() => {
      delete form.dataset.sent;
      event.submitter?.removeAttribute("aria-busy");
    }, 10000);
  });

  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
    for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest?.("form");
    if (!form) return;
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  });

  for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
    document.addEventListener(kind, (event) => {
      const area = event.target.closest?.("[data-drop]");
      if (!area) return;
      area.classList.toggle("drop--over", kind === "dragenter" || kind === "dragover");
      if (kind === "drop") {
        event.preventDefault();
        const input = area.querySelector("input[type=file]");
        input.files = event.dataTransfer.files;
        input.dispatchEvent(new Event("change", { bubbles: true }));
      } else if (kind !== "dragleave") event.preventDefault();
    });

  document.addEventListener("change", (event) => {
    const area = event.target.closest?.("[data-drop]");
    const file = event.target.files?.[0];
    if (!area || !event.target.files) return;
    const size = file ? Math.max(file.size / 1e6, 0.01).toFixed(file.size < 1e6 ? 2 : 1) : "";
    area.querySelector("[data-drop-chosen]").textContent = file ? `${file.name}, ${size} MB` : "";
    area.classList.toggle("drop--chosen", Boolean(file));
  });

  // ---- relative times, by the rule of grantline.web.words.relative

  const AGES = [
    [3600, 60, "minute"],
    [86400, 3600, "hour"],
    [14 * 86400, 86400, "day"],
    [60 * 86400, 7 * 86400, "week"],
    [730 * 86400, 30 * 86400, "month"],
    [Infinity, 365 * 86400, "year"],
  ];

  function relative(moment, now) {
    const seconds = (now - moment) / 1000;
    const size = Math.abs(seconds);
    if (size < 45) return seconds >= 0 ? "just now" : "in a moment";
    const [, unit, name] = AGES.find(([limit, unit]) => size < limit - unit / 2);
    const number = Math.max(1, Math.floor(size / unit + 0.5));
    const amount = `${number.toLocaleString("en")} ${name}${number === 1 ? "" : "s"}`;
    return seconds > 0 ? `${amount} ago` : `in ${amount}`;
  }

  function refreshTimes() {
    for (const time of document.querySelectorAll("time[data-relative]")) {
      const text = relative(Date.parse(time.dateTime), Date.now());
      if (time.textContent !== text) time.textContent = text;
    }
  }
  setInterval(refreshTimes, 30000);

  // ---- tabs within a page

  function setUpTabs(within) {
    for (const list of within.querySelectorAll("[data-tabs]")) {
      const tabs = [...list.querySelectorAll("[role=tab]")];
      for (const tab of tabs) {
        const panel = document.getElementById(tab.getAttribute("aria-controls"));
        panel?.setAttribute("role", "tabpanel");
        panel?.setAttribute("aria-labelledby", tab.id);
        if (!tab.dataset.ready) tab.addEventListener("click", () => showTab(tab));
        tab.dataset.ready = "yes";
      }
      showTab(tabs.find((tab) => tab.getAttribute("aria-selected") === "true") || tabs[0]);
    }
  }

  function showTab(chosen) {
    for (const tab of chosen?.closest("[data-tabs]").querySelectorAll("[role=tab]") || []) {
      const shown = tab === chosen;
      tab.setAttribute("aria-selected", String(shown));
      tab.tabIndex = shown ? 0 : -1;
      const panel = document.getElementById(tab.getAttribute("aria-controls"));
      if (panel) panel.hidden = !shown;
    }
  }

  function moveTab(event, tab) {
    const tabs = [...tab.closest("[data-tabs]").querySelectorAll("[role=tab]")];
    const places = { ArrowRight: tabs.indexOf(tab) + 1, ArrowLeft: tabs.indexOf(tab) - 1, Home: 0, End: -1 };
    if (!(event.key in places)) return;
    event.preventDefault();
    const next = tabs.at(places[event.key] % tabs.length);
    showTab(next);
    next.focus();
  }

  // ---- toasts: the answer's header HX-Trigger: {"toast": {"text": "…", "tone": "green"}}

  function toast({ text, tone }) {
    const made = document.getElementById("toast-template")?.content.firstElementChild.cloneNode(true);
    if (!made) return;
    made.classList.add(`toast--${tone || "green"}`);
    made.querySelector(".toast__text").textContent = text;
    document.getElementById("toasts").append(made);
    if (tone !== "red") setTimeout(() => made.remove(), 6000);
  }
  document.addEventListener("toast", (event) => toast(event.detail));
  // An answer of 4xx or 5xx is not put into the page (but 422, a form with its errors): its words are shown.
  document.addEventListener("htmx:responseError", (event) => {
    const answer = event.detail.xhr;
    if (answer.getResponseHeader("HX-Trigger")) return;
    const page = new DOMParser().parseFromString(answer.responseText, "text/html");
    const words = page.querySelector(".notice__body")?.textContent.replace(/\s+/g, " ").trim();
    toast({ text: words || "That did not work. Try again, or reload the page.", tone: "red" });
  });
  document.addEventListener("htmx:sendError", () =>
    toast({ text: "Grantline cannot be reached. Check the connection, then try again.", tone: "red" }));

  // ---- the mapping editor: what is open stays open, and an answer that is older than what was typed since
  // is not shown (the form asks again by itself)

  const sentBy = (form) => new URLSearchParams(new FormData(form)).toString();
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.matches("[data-live]")) event.detail.elt.sentFields = sentBy(event.detail.elt);
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    const form = event.detail.requestConfig.elt;
    if (!form.matches("[data-live]")) return;
    if (form.isConnected && form.sentFields !== sentBy(form)) event.detail.shouldSwap = false;
    const opened = [...event.detail.target.querySelectorAll("details[id]")].map((part) => [part.id, part.open]);
    const reopen = () => {
      for (const [id, open] of opened) {
        const part = document.getElementById(id);
        if (part && !part.querySelector("[aria-invalid=true]")) part.open = open;
      }
    };
    if (event.detail.shouldSwap) document.addEventListener("htmx:afterSwap", reopen, { once: true });
  });

  // ---- start

  function setUp(within) {
    setUpTabs(within);
    showTheme();
    refreshTimes();
  }
  document.addEventListener("htmx:load", (event) => setUp(event.detail.elt.parentElement || document));
  setUp(document);
  // A form that came back with errors: go to the first, wherever it is on the page.
  document.querySelector("[aria-invalid=true]")?.focus();
})();
