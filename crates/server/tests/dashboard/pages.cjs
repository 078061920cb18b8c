// Every page in a real browser: light, dark and on a phone; sound, of this origin alone, and changing in place.
"use strict";
const [driver, axe, pictures, at] = process.argv.slice(2);
const { base, empty, token, viewer, run, undone } = JSON.parse(at);
const { chromium } = require(driver);
const { attempt } = require("./hostile.cjs");
const { act, refusals, tooOften } = require("./acts.cjs");
const { readFileSync, writeFileSync } = require("node:fs");
const { createInterface } = require("node:readline");

const wrong = (what) => console.log(what);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ask = async (what) => { console.log(what); return (await answers.next()).value; };
const check = readFileSync(axe, "utf8");

// Figures that are folded away count as well.
const unfolded = async (page, look) => {
  await page.evaluate(() => { for (const one of document.querySelectorAll("main details:not([open]):has(table)")) { one.open = true; one.dataset.unfolded = ""; } });
  await look();
  await page.evaluate(() => { for (const one of document.querySelectorAll("[data-unfolded]")) { one.open = false; delete one.dataset.unfolded; } });
};
// A cell in which words stand letter below letter, and a sentence with the signs of code in it.
const squeezed = async (page, what) => {
  const cells = await page.evaluate(() => [...document.querySelectorAll("tbody td, tbody th")]
    .filter((cell) => cell.textContent.trim() && cell.clientWidth < 64 && cell.clientHeight > 3 * cell.clientWidth).map((cell) => cell.textContent.trim().slice(0, 60)));
  if (cells.length) wrong(`${what}: cells too narrow for their words: ${cells.slice(0, 3).join(" | ")}`);
  const raw = await page.evaluate(() => [...document.querySelectorAll("body :not(script, code, pre, pre *, .log *, option)")]
    .flatMap((node) => [...node.childNodes].filter((own) => own.nodeType === 3 && own.data.includes("`")).map((own) => own.data.trim().slice(0, 80))));
  if (raw.length) wrong(`${what}: backticks as they are written: ${raw.slice(0, 3).join(" | ")}`);
};
// What is wrong with the page as it stands, by axe.
const sound = async (page, what) => {
  await page.evaluate(check);
  await unfolded(page, () => squeezed(page, what));
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const one of found.violations) {
    if (["serious", "critical"].includes(one.impact)) wrong(`${what}: ${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  }
};
const watch = (page) => {
  page.on("pageerror", (error) => wrong(`${page.url()}: ${error.message}`));
  // A browser says of every page that is an answer to "no" that it was one.
  const isRefusal = (text) => /the server responded with a status of (4\d\d|503)/.test(text);
  page.on("console", (line) => { if (line.type() === "error" && !((page.refused || page.url().endsWith("/nowhere")) && isRefusal(line.text()))) wrong(`${page.url()}: ${line.text()}`); });
  page.on("request", (request) => { if (![base, empty, "data:"].some((own) => request.url().startsWith(own))) wrong(`${page.url()} asks for ${request.url()}`); });
};

// What a phone does not show: what lies beside it, figures without the name of their column, ways to go, and what can be done behind all that
// there is to read.
const unseen = (page) => page.evaluate(() => {
  const found = [];
  const text = (node) => node.textContent.trim().replace(/\s+/g, " ").slice(0, 60);
  const isThere = (node) => { const { left, right, width } = node.getBoundingClientRect(); return width > 0 && left >= 0 && right <= innerWidth; };
  if (document.documentElement.scrollWidth > innerWidth) found.push("wider than a phone");
  const top = (part) => document.getElementById(part)?.getBoundingClientRect().top;
  if (top("p-act") > top("p-log")) found.push("what can be done stands behind what there is to read");
  for (const table of document.querySelectorAll("main table")) {
    const cells = [...table.querySelectorAll("tbody :is(th, td)")].filter((cell) => cell.getClientRects().length && text(cell));
    for (const cell of cells) if (!isThere(cell)) found.push(`beside the screen: ${text(cell)}`);
    const head = table.tHead;
    if (!head || head.className === "unseen" || getComputedStyle(head).clipPath === "none") continue;
    const isFigure = (cell) => !cell.matches("th, .what, .place, .soft:not(.num)") && !cell.querySelector(".badge") && !(cell.matches(".at") && cell.querySelector("time"));
    const isNamed = (cell) => !["none", "normal", '""'].includes(getComputedStyle(cell, "::before").content);
    for (const row of table.tBodies[0].rows) {
      const figures = cells.filter((cell) => cell.parentNode === row && isFigure(cell));
      // The one value of a name needs no other.
      if (figures.length === 1 && row.querySelector("th")) continue;
      for (const cell of figures) if (!isNamed(cell)) found.push(`a figure of which nobody knows what it is: ${text(cell)}`);
    }
  }
  for (const way of document.querySelectorAll(".side nav a, .side .sign, .side #live:not([hidden])")) if (!isThere(way)) found.push(`not within reach: ${text(way)}`);
  return found;
});
const fits = async (page, name) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await unfolded(page, async () => {
    const found = await unseen(page);
    if (found.length) wrong(`${name} on a phone: ${[...new Set(found)].slice(0, 6).join("; ")}`);
    await squeezed(page, `${name} on a phone`);
  });
};
// What is made of the same parts as another page: whether it is sound, once.
const glance = async (page, name) => {
  await sound(page, name);
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
  await fits(page, name);
  await page.setViewportSize({ width: 1280, height: 900 });
};
// How a page looks and whether it is sound: light, dark and on a phone.
const picture = async (page, name) => {
  for (const [colorScheme, end] of [["dark", "-dark"], ["light", ""]]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await sound(page, `${name} (${colorScheme})`);
    await page.screenshot({ path: `${pictures}/${name}${end}.png`, fullPage: true });
  }
  await fits(page, name);
  await page.screenshot({ path: `${pictures}/${name}-phone.png`, fullPage: true });
  await page.setViewportSize({ width: 1280, height: 900 });
};

// The picture in the README.
const show = async (context, page) => {
  const browser = await context.newCDPSession(page);
  const clip = { x: 0, y: 0, width: 1280, height: 1000, scale: 1 };
  const { data } = await browser.send("Page.captureScreenshot", { format: "webp", quality: 80, captureBeyondViewport: true, clip });
  writeFileSync(`${pictures}/incident.webp`, Buffer.from(data, "base64"));
};

const look = async (browser, colorScheme, paths) => {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1280, height: 900 }, bypassCSP: false });
  const page = await context.newPage();
  watch(page);
  for (const path of paths) {
    await page.goto(base + path, { waitUntil: "load" });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const name = path.replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "") || "now";
    await page.screenshot({ path: `${pictures}/${name}-${colorScheme}.png`, fullPage: true });
    await sound(page, `${path} (${colorScheme})`);
    if (await page.evaluate(() => window.pwned)) wrong(`${path}: text from a log was carried out`);
    if (colorScheme === "light") {
      if (path === "/") await page.waitForSelector("#live:not([hidden])");
      await fits(page, path);
      await page.screenshot({ path: `${pictures}/${name}-phone.png`, fullPage: true });
      await page.setViewportSize({ width: 1280, height: 900 });
      if (path === paths.picture) await show(context, page);
    }
  }
  await context.close();
};

// Nothing is on record: every page says so, and what has to be counted says that it is.
const nothing = async (browser) => {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  watch(page);
  // It would look again by itself while it is looked at.
  await page.route(empty + "/trends", async (route) => {
    const response = await route.fetch();
    const { refresh, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });
  await page.goto(empty + "/trends", { waitUntil: "load" });
  if (!(await page.textContent("main")).includes("are being counted")) wrong("what is counted is not said");
  await glance(page, "counting");
  await page.goto(empty + "/trends?days=7");
  await page.waitForSelector("text=Incidents in 7 days", { timeout: 10000 }).catch(() => wrong("what was counted never came"));
  for (const [path, says] of [["/", "Nobody is waited for"], ["/incidents", "No incident is on record"], ["/trends", "no data"], ["/services", "there is no breaker"], ["/settings", "Nothing has been done yet"]]) {
    await page.goto(empty + path, { waitUntil: "load" });
    if (!(await page.textContent("main")).includes(says)) wrong(`${path} of an empty ledger does not say "${says}"`);
    await glance(page, `empty${path.replace("/", "-").replace(/-$/, "-now")}`);
  }
  await page.context().close();
};

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
  const first = await browser.newPage();
  watch(first);
  await first.goto(base + "/incidents?state=healed", { waitUntil: "load" });
  const healed = await first.getAttribute(".list .what a:not([href$='/full'])", "href");

  // In place: what begins is there within a second, on a page that was not loaded again.
  await first.goto(base + "/", { waitUntil: "load" });
  await first.waitForSelector("#live:not([hidden]):not(.off)");
  await first.waitForTimeout(1000);
  const appears = async (what, selector, text) => {
    const begun = Date.now();
    const said = ask(what);
    const seen = await first.waitForFunction(([s, t]) => [...document.querySelectorAll(s)].some((e) => e.outerHTML.includes(t)), [selector, text], { timeout: 10000, polling: 20 }).then(() => Date.now() - begun, () => 0);
    await said;
    if (!seen) wrong(`${what}: it never appeared`);
    else if (seen > 1000) wrong(`${what}: it appeared after ${seen} ms`);
    else console.error(`${what}: seen after ${seen} ms`);
    if (!(await first.evaluate(() => window.same))) wrong(`${what}: the page was loaded again`);
    await first.waitForFunction(() => window.was.includes("true") && window.was.at(-1) === "no", undefined, { timeout: 5000 }).catch(() => wrong(`${what}: the look was never said to be under way, or never over`));
  };
  // Whether a look is said to be under way.
  const listen = () => first.evaluate(() => {
    window.same = true;
    window.was = [];
    const main = document.getElementById("main");
    new MutationObserver(() => window.was.push(main.getAttribute("aria-busy") || "no")).observe(main, { attributeFilter: ["aria-busy"] });
  });
  await listen();
  await appears("begin", "#healing a", "/incidents/just-now");
  await first.goto(base + "/incidents/just-now", { waitUntil: "load" });
  await first.waitForSelector("#live:not([hidden]):not(.off)");
  await listen();
  await appears("go-on", ".time li", "Tried once more");

  await first.goto(base + "/patterns/suggested");
  if (!(await first.textContent(".book")).includes("refused the seat")) wrong("what recurs without a name is not suggested");

  // By the keyboard: the first stop leads past the navigation, and each one after it is seen.
  await first.goto(base + "/incidents");
  await first.keyboard.press("Tab");
  if ((await first.evaluate(() => document.activeElement.className)) !== "skip") wrong("the first stop of the keyboard is not the way to the content");
  const stops = [];
  for (let i = 0; i < 10; i++) {
    await first.keyboard.press("Tab");
    stops.push(await first.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return [document.activeElement.getAttribute("href") || document.activeElement.name, outlineStyle !== "none" && parseFloat(outlineWidth) >= 2];
    }));
  }
  const order = ["/", "/", "/incidents", "/trends", "/patterns", "/playbooks", "/services", "/settings", "/sign-in", "q"];
  if (stops.map(([what]) => what).join() !== order.join()) wrong(`the keyboard goes to ${stops.map(([what]) => what)}`);
  for (const [what, seen] of stops) if (!seen) wrong(`where the keyboard is, at ${what}, is not seen`);
  await first.goto(base + "/incidents");
  await first.keyboard.press("Tab");
  await first.keyboard.press("Enter");
  await first.keyboard.press("Tab");
  if ((await first.evaluate(() => document.activeElement.name)) !== "q") wrong("past the navigation is not the first field of the content");
  // A filter by typing, and the pages of what it finds.
  await first.keyboard.type("octo");
  await first.keyboard.press("Enter");
  await first.waitForURL(/q=octo/);
  if (await first.evaluate(() => [...document.querySelectorAll(".list .where span")].some((cell) => !cell.textContent.includes("octo")))) wrong("a filter shows what does not fit");
  await first.goto(base + "/incidents");
  await first.getByLabel("State").selectOption("healed");
  await first.getByRole("button", { name: "Show" }).click();
  await first.waitForURL(/state=healed/);
  if ((await first.locator(".list .badge").allTextContents()).some((text) => text !== "healed")) wrong("a filter shows another state");
  await first.getByRole("link", { name: "Clear" }).click();
  await first.waitForURL(/incidents$/);
  const ids = async () => first.$$eval(".list .what a", (links) => links.map((link) => link.getAttribute("href")));
  const newest = await ids();
  await first.getByRole("link", { name: "Older" }).click();
  await first.waitForURL(/after=/);
  if ((await ids()).some((id) => newest.includes(id))) wrong("the next page shows what the one before it showed");
  await first.getByRole("link", { name: "Newest" }).click();
  await first.waitForURL(/incidents$/);
  if ((await ids()).join() !== newest.join()) wrong("back at the newest it is another page");

  // Whoever waits is told: for the next page, which may have to be counted first, and quietly while a look is under way.
  await first.route(base + "/trends", (route) => setTimeout(() => route.continue(), 300));
  await first.evaluate(() => {
    const main = document.getElementById("main");
    new MutationObserver(() => { sessionStorage.said = `${main.getAttribute("aria-busy")} ${main.className}`; }).observe(main, { attributes: true });
  });
  await first.getByRole("link", { name: "Trends" }).click();
  await first.waitForURL(/trends/);
  if ((await first.evaluate(() => sessionStorage.said)) !== "true leaving") wrong("nobody is told that a page is on its way");
  if (await first.evaluate(() => document.getElementById("main").hasAttribute("aria-busy"))) wrong("the page that came is busy");
  await first.close();

  // Without a script everything is read all the same.
  const bare = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await bare.goto(base + healed);
  if (!(await bare.textContent("main")).includes("What happened")) wrong("without a script the page says less");

  const full = (await (await browser.newContext()).request.get(base + "/incidents/full")).text();
  const log = (await full).match(/\/incidents\/full\/logs\/[0-9a-f]+/)[0] + "?from=980";
  const by = { base, token, viewer, run, undone, wrong, watch, picture, glance, ask };
  const paths = ["/", "/incidents", healed, "/incidents/hostile-1", "/incidents/full", log, "/incidents?q=nothing-is-like-this", "/trends", "/patterns", "/patterns/suggested", "/patterns/npm-connection-lost", "/playbooks", "/services", "/settings", "/nowhere"];
  paths.picture = healed;
  await Promise.all([look(browser, "light", paths), look(browser, "dark", paths), nothing(browser), attempt(browser, base, token, wrong), refusals(browser, by)]);
  await act(browser, false, by);
  await act(browser, true, by);
  await tooOften(browser, by);
  await browser.close();
  process.exit(0);
})().catch((error) => { wrong(error.stack); process.exit(1); });
