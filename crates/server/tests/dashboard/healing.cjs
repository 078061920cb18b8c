// A healing is watched in a real browser, on two pages that are never loaded again. The test says what was just put on record and
// when; here it is said when each page showed it.
"use strict";
const [driver, base] = process.argv.slice(2);
const { chromium } = require(driver);
const { createInterface } = require("node:readline");

const wrong = (what) => console.log(what);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ask = async (what) => { console.log(what); return JSON.parse((await answers.next()).value); };

const open = async (browser, path) => {
  const page = await browser.newPage();
  page.on("pageerror", (error) => wrong(`${path}: ${error.message}`));
  page.on("console", (line) => { if (line.type() === "error") wrong(`${path}: ${line.text()}`); });
  page.on("request", (request) => { if (![base, "data:"].some((own) => request.url().startsWith(own))) wrong(`${path} asks for ${request.url()}`); });
  await page.goto(base + path, { waitUntil: "load" });
  await page.waitForSelector("#live:not([hidden]):not(.off)");
  await page.evaluate(() => { window.same = true; });
  // A page looks once when its stream is open: what comes later is news.
  await page.waitForTimeout(700);
  return page;
};
// The moment at which a page shows this.
const shows = (page, selector, text) => page.waitForFunction(([s, t]) => [...document.querySelectorAll(s)].some((e) => e.outerHTML.includes(t)) && Date.now(), [selector, text], { timeout: 20000, polling: 20 }).then((handle) => handle.jsonValue(), () => 0);

const timely = async (what, page, seen, at) => {
  if (!seen) wrong(`${what}: it was never shown`);
  else if (seen - at > 1000) wrong(`${what}: it was shown ${seen - at} ms after it was on record`);
  else console.error(`${what}: ${seen - at} ms after it was on record`);
  if (!(await page.evaluate(() => window.same))) wrong(`${what}: the page was loaded again`);
};

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
  const now = await open(browser, "/");
  const begins = shows(now, "#healing a", "/incidents/");
  const begun = await ask("fail");
  await timely("Now shows what is being healed", now, await begins, begun.at);

  const incident = await open(browser, `/incidents/${begun.incident}`);
  if ((await incident.textContent("#p-head")).includes("healed")) wrong("it is shown as healed before it is");
  const ends = [shows(incident, "#p-head .badge.good", "healed"), shows(now, "#lately tr", begun.incident)];
  const healed = await ask("end");
  const [there, here] = await Promise.all(ends);
  await timely("Incident shows that it is healed", incident, there, healed.at);
  await timely("Now shows that it is over", now, here, healed.at);
  if (await now.locator(`#healing a[href$="${begun.incident}"]`).count()) wrong("Now shows it as under way still");
  await browser.close();
  process.exit(0);
})().catch((error) => { wrong(error.stack); process.exit(1); });
