// Every page in a real browser: light, dark and on a phone; sound, of this origin alone, and changing in place.
"use strict";
const [driver, axe, pictures, base, token] = process.argv.slice(2);
const { chromium } = require(driver);
const { readFileSync, writeFileSync } = require("node:fs");
const { createInterface } = require("node:readline");

const wrong = (what) => console.log(what);
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ask = async (what) => { console.log(what); return (await answers.next()).value; };
const check = readFileSync(axe, "utf8");

// What is wrong with the page as it stands, by axe.
const sound = async (page, what) => {
  await page.evaluate(check);
  const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const one of found.violations) {
    if (["serious", "critical"].includes(one.impact)) wrong(`${what}: ${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  }
};
const watch = (page) => {
  page.on("pageerror", (error) => wrong(`${page.url()}: ${error.message}`));
  page.on("console", (line) => { if (line.type() === "error" && !page.url().endsWith("/nowhere")) wrong(`${page.url()}: ${line.text()}`); });
  page.on("request", (request) => { if (!request.url().startsWith(base) && !request.url().startsWith("data:")) wrong(`${page.url()} asks for ${request.url()}`); });
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
      await page.setViewportSize({ width: 390, height: 844 });
      if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) wrong(`${path}: wider than a phone`);
      await page.screenshot({ path: `${pictures}/${name}-phone.png`, fullPage: true });
      await page.setViewportSize({ width: 1280, height: 900 });
      if (path.startsWith("/incidents/") && path !== "/incidents/hostile-1") await show(context, page);
    }
  }
  await context.close();
};

// An operator signs in and acts, by clicking: with a script, and as well without.
const act = async (browser, javaScriptEnabled) => {
  const page = await (await browser.newContext({ javaScriptEnabled, viewport: { width: 1280, height: 900 } })).newPage();
  watch(page);
  const picture = async (name) => {
    if (!javaScriptEnabled) return;
    await sound(page, name);
    await page.screenshot({ path: `${pictures}/act-${name}.png`, fullPage: true });
    await page.emulateMedia({ colorScheme: "dark" });
    await sound(page, `${name} (dark)`);
    await page.screenshot({ path: `${pictures}/act-${name}-dark.png`, fullPage: true });
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize({ width: 390, height: 844 });
    if (await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)) wrong(`${name}: wider than a phone`);
    await page.screenshot({ path: `${pictures}/act-${name}-phone.png`, fullPage: true });
    await page.setViewportSize({ width: 1280, height: 900 });
  };
  const says = async (text) => {
    const said = await page.textContent(".said", { timeout: 5000 }).catch(() => "nothing");
    if (!said.includes(text)) wrong(`after "${text}" it says ${said} at ${page.url()}`);
  };
  const press = (name) => page.getByRole("button", { name, exact: true }).first().click();
  await page.goto(base + "/sign-in?then=%2F");
  await page.getByLabel("Your token").fill(token);
  await press("Sign in");
  await page.getByRole("link", { name: "Pause healing…" }).click();
  await picture("pause");
  await page.getByLabel("Everything beside the fleet").check();
  await page.getByLabel("Why, for the record").fill("a drill");
  await press("Pause healing");
  await says("Paused.");
  await picture("paused");
  await page.locator(".notice", { hasText: "for everything." }).getByRole("link", { name: "End this pause…" }).click();
  await press("End this pause");
  await says("That pause has ended.");
  if (!javaScriptEnabled) return;
  await page.goto(base + "/incidents/to-approve");
  await picture("waits");
  await press("Approve");
  await says("Approved.");
  await picture("approved");
  await page.goto(base + "/incidents/to-deny");
  await page.locator("#d-deny > summary").click();
  await page.getByLabel("Why, for the record").fill("not on a Friday");
  // What is being written outlives what happens meanwhile.
  await ask("change");
  await page.waitForFunction(() => document.getElementById("p-checked").textContent.includes("bob says it was runner failure"));
  if (await page.getByLabel("Why, for the record").inputValue() !== "not on a Friday") wrong("what was being written was lost");
  await press("Deny");
  await says("Denied.");
  await page.locator("#d-wrong > summary").click();
  await page.getByLabel("Wrong: it was really").selectOption("test-failure");
  await picture("wrong");
  await press("Wrong diagnosis");
  await says("Noted.");
  await page.reload();
  if (await page.locator(".said").count()) wrong("what was said is said twice");
  await page.goto(base + "/services");
  await picture("services");
  await page.getByRole("button", { name: /^Close it/ }).first().click();
  await says("The breaker is closed.");
};

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ["--no-sandbox"] });
  const first = await browser.newPage();
  await first.goto(base + "/incidents?state=healed", { waitUntil: "load" });
  const healed = await first.getAttribute(".list .what a", "href");

  // In place: what begins is there within a second, on a page that was not loaded again.
  await first.goto(base + "/", { waitUntil: "load" });
  await first.waitForSelector("#live:not([hidden]):not(.off)");
  await first.evaluate(() => { window.same = true; });
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
  };
  await appears("begin", "#healing a", "/incidents/just-now");
  await first.goto(base + "/incidents/just-now", { waitUntil: "load" });
  await first.waitForSelector("#live:not([hidden]):not(.off)");
  await first.evaluate(() => { window.same = true; });
  await appears("go-on", ".time li", "Tried once more");

  await first.goto(base + "/patterns/suggested");
  if (!(await first.textContent(".book")).includes("refused the seat")) wrong("what recurs without a name is not suggested");

  // By the keyboard: the first stop leads past the navigation.
  await first.keyboard.press("Tab");
  if ((await first.evaluate(() => document.activeElement.className)) !== "skip") wrong("the first stop of the keyboard is not the way to the content");
  await first.close();

  // Without a script everything is read all the same.
  const bare = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
  await bare.goto(base + healed);
  if (!(await bare.textContent("main")).includes("What happened")) wrong("without a script the page says less");

  const paths = ["/", "/incidents", healed, "/incidents/hostile-1", "/incidents?q=nothing-is-like-this", "/trends", "/patterns", "/patterns/suggested", "/patterns/npm-connection-lost", "/playbooks", "/services", "/settings", "/nowhere"];
  await Promise.all([look(browser, "light", paths), look(browser, "dark", paths)]);
  await act(browser, false);
  await act(browser, true);
  await browser.close();
  process.exit(0);
})().catch((error) => { wrong(error.stack); process.exit(1); });
