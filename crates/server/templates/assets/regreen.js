// Pages are made on the server. This looks anew when something happened, and puts in what changed.
"use strict";
(() => {
  const concerns = document.body.dataset.live;
  const light = document.getElementById("live");
  const said = document.getElementById("said");
  const REST = 700; // ms between two looks
  let last = 0, due = 0, looking = false, again = false;

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
      const held = document.activeElement && part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      part.replaceChildren(...document.importNode(now, true).childNodes);
      if (held) part.querySelector(`a[href="${CSS.escape(held)}"]`)?.focus();
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

  const look = async () => {
    due = 0;
    if (looking) { again = true; return; }
    looking = true;
    last = Date.now();
    try {
      const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
      if (answer.redirected) { location.href = answer.url; return; } // to sign in: the session is over
      if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch { /* the server is away; the stream comes back when it does */ }
    looking = false;
    if (again) { again = false; soon(); }
  };
  const soon = () => {
    if (!due) due = setTimeout(look, Math.max(60, last + REST - Date.now()));
  };

  if (concerns) {
    const stream = new EventSource("/events");
    let opened = false;
    const state = (live) => { light.hidden = false; light.textContent = live ? "Live" : "Not connected"; light.classList.toggle("off", !live); };
    // A page may be older than its stream, and was not told what happened while it was away.
    stream.addEventListener("open", () => { state(true); if (opened || concerns === "all") soon(); opened = true; });
    stream.addEventListener("error", () => state(false));
    stream.addEventListener("message", (event) => {
      const news = JSON.parse(event.data);
      if (concerns === "all" || news.kind === "look-anew" || concerns === "incident:" + news.incident) soon();
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
