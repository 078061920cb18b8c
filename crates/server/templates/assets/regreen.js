// Pages are made on the server. This looks anew when something happened, and puts in what changed.
"use strict";
(() => {
  const concerns = document.body.dataset.live;
  const light = document.getElementById("live");
  const main = document.getElementById("main");
  const said = document.getElementById("said");
  const REST = 500; // ms between two looks
  let last = 0, due = 0, looking = false, again = false;

  // Where the keyboard is, in words that hold for the new part too.
  const place = (node) => {
    if (node.matches("a[href]")) return `a[href="${CSS.escape(node.getAttribute("href"))}"]`;
    if (node.matches("details[id] > summary")) return `#${CSS.escape(node.parentNode.id)} > summary`;
    return node.matches("form[action] button") ? `form[action="${CSS.escape(node.form.getAttribute("action"))}"] button` : null;
  };

  const put = (fresh) => {
    let changed = false;
    for (const part of document.querySelectorAll("[data-part]")) {
      const now = fresh.getElementById(part.id);
      if (!now) continue;
      for (const open of part.querySelectorAll("details[open]")) {
        const same = open.id && now.querySelector("#" + CSS.escape(open.id));
        if (same) same.open = true;
      }
      if (part.innerHTML === now.innerHTML) continue;
      // Moments that merely aged are put in without a sign.
      const bare = (node) => { const copy = node.cloneNode(true); copy.querySelectorAll("time").forEach((t) => t.remove()); return copy.textContent; };
      const news = bare(part) !== bare(now);
      // What a person is writing stays: by the form that it is in, and its name there.
      const fields = (node) => [...node.querySelectorAll("form [name]:not([type=hidden])")];
      const name = (field) => `${field.form.getAttribute("action")} ${field.name} ${field.type === "radio" ? field.value : ""}`;
      const written = new Map(fields(part).map((field) => [name(field), field.type === "radio" ? field.checked : field.value]));
      const writing = document.activeElement?.form && part.contains(document.activeElement) ? name(document.activeElement) : null;
      const held = document.activeElement && part.contains(document.activeElement) ? place(document.activeElement) : null;
      part.replaceChildren(...document.importNode(now, true).childNodes);
      for (const field of fields(part)) {
        const was = written.get(name(field));
        if (was !== undefined) field[field.type === "radio" ? "checked" : "value"] = was;
        if (writing === name(field)) field.focus();
      }
      if (held) part.querySelector(held)?.focus();
      if (news) {
        changed = true;
        part.classList.remove("fresh");
        void part.offsetWidth;
        part.classList.add("fresh");
      }
    }
    document.title = fresh.title;
    if (changed) said.textContent = "The page was brought up to date.";
  };

  // Said to whoever can't see it, and shown by a quiet sign.
  const busy = (is, leaving) => {
    if (is) main.setAttribute("aria-busy", "true"); else main.removeAttribute("aria-busy");
    main.classList.toggle("leaving", Boolean(is && leaving));
    light.classList.toggle("looking", Boolean(is && !leaving));
  };

  const look = async () => {
    due = 0;
    if (looking) { again = true; return; }
    looking = true;
    busy(true, main.classList.contains("leaving"));
    last = Date.now();
    try {
      const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
      if (answer.redirected) { location.href = answer.url; return; } // to sign in: the session is over
      if (answer.status === 429) setTimeout(soon, 1000 * (Number(answer.headers.get("retry-after")) || 1));
      if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* the server is away; the stream comes back when it does */ }
    looking = false;
    if (!main.classList.contains("leaving")) busy(false);
    if (again) { again = false; soon(); }
  };
  const soon = () => {
    if (!due) due = setTimeout(look, Math.max(60, last + REST - Date.now()));
  };

  // Until the next page is there, which may have to be counted first.
  const leave = () => { busy(true, true); setTimeout(() => busy(false), 20000); };
  addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const elsewhere = !link || link.origin !== location.origin || (link.pathname === location.pathname && link.search === location.search && link.hash);
    if (!event.defaultPrevented && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey && !elsewhere) leave();
  });
  addEventListener("submit", (event) => { if (!event.defaultPrevented) leave(); });
  addEventListener("pageshow", () => busy(false));

  if (concerns) {
    const stream = new EventSource("/events");
    let opened = false;
    const state = (live) => { light.hidden = false; light.textContent = live ? "Live" : "Not connected"; light.classList.toggle("off", !live); };
    // A page may be older than its stream, and was not told what happened while it was away.
    stream.addEventListener("open", () => { state(true); if (opened || concerns === "all") soon(); opened = true; });
    stream.addEventListener("error", () => state(false));
    stream.addEventListener("message", (event) => {
      const news = JSON.parse(event.data);
      // A word on what it was does not say about which incident in the log.
      if (concerns === "all" || ["look-anew", "feedback-given"].includes(news.kind) || concerns === "incident:" + news.incident) soon();
    });
    addEventListener("pagehide", () => stream.close());
  }

  // "3 min ago" stays true.
  const about = (s) => s < 3600 ? `${Math.floor(s / 60)} min` : s < 86400 ? `${Math.floor(s / 3600)} h` : `${Math.floor(s / 86400)} d`;
  setInterval(() => {
    for (const time of document.querySelectorAll("time[datetime]")) {
      const past = (Date.now() - Date.parse(time.dateTime)) / 1000;
      if (Number.isNaN(past) || Math.abs(past) > 30 * 86400) continue;
      const text = past < -60 ? `in ${about(-past)}` : past < 60 ? "just now" : `${about(past)} ago`;
      if (time.textContent !== text) time.textContent = text;
    }
  }, 15000);
})();
