// What an operator does, by clicking and by the keyboard, and how a "no" looks.
"use strict";

const hands = async (browser, by, options) => {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })).newPage();
  by.watch(page);
  const press = (name) => page.getByRole("button", { name, exact: true }).first().click();
  const says = async (text) => {
    await page.locator(".said", { hasText: text }).waitFor({ timeout: 5000 }).catch(async () => {
      by.wrong(`"${text}" is not said, but ${await page.locator(".said").allTextContents()} at ${page.url()}`);
    });
  };
  const signIn = async (token) => {
    await page.getByLabel("Your token").fill(token);
    await press("Sign in");
  };
  return { page, press, says, signIn };
};

// An operator signs in and acts: with a script, and as well without.
exports.act = async (browser, javaScriptEnabled, by) => {
  const { base, token, run, undone, wrong, ask } = by;
  const { page, press, says, signIn } = await hands(browser, by, { javaScriptEnabled });
  const glance = (name) => (javaScriptEnabled ? by.glance(page, `act-${name}`) : undefined);
  const picture = (name) => (javaScriptEnabled ? by.picture(page, `act-${name}`) : undefined);
  await page.goto(base + "/sign-in?then=%2F");
  await glance("sign-in");
  await signIn(token);
  await page.getByRole("link", { name: "Pause healing…" }).click();
  await picture("pause");
  await page.getByLabel("Everything beside the fleet").check();
  await page.getByLabel("Why, for the record").fill("a drill");
  await press("Pause healing");
  await says("Paused.");
  await picture("paused");
  await page.locator(".notice", { hasText: "for everything." }).getByRole("link", { name: "End this pause…" }).click();
  await glance("unpause");
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

  // A yes that nobody has used is taken back, by the keyboard alone.
  await page.goto(base + "/incidents/to-take-back");
  await press("Approve");
  await says("Approved.");
  const stop = async (selector) => {
    for (let i = 0; i < 80; i++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate((selector) => document.activeElement.matches(selector), selector)) return;
    }
    wrong(`the keyboard does not come to ${selector}`);
  };
  await stop("#d-deny > summary");
  await page.keyboard.press("Enter");
  await stop("#d-deny input[name=reason]");
  await page.keyboard.type("changed my mind");
  await page.keyboard.press("Enter");
  await says("Denied.");

  await page.goto(base + "/incidents/full");
  await page.locator("#d-wrong > summary").click();
  await press("Right: lockfile corruption");
  await says("Noted.");
  await page.goto(base + "/incidents/" + run);
  await page.locator("#d-again > summary").click();
  await press("Look again");
  await says("It is on the list of work");
  await page.locator("#d-back > summary").click();
  await glance("under-way");
  await press("Yes, roll back");
  await says("Asked for.");
  await page.goto(base + "/incidents/" + undone);
  await page.locator("#d-reopen > summary").click();
  await page.locator("#d-reopen input[name=reason]").fill("the registry is back");
  await glance("reopen");
  await press("Open it again");
  await says("Opened again.");

  await page.goto(base + "/services");
  await picture("services");
  await page.getByRole("button", { name: /^Close it/ }).first().click();
  await says("The breaker is closed.");

  // A draft of a pattern is completed; what is wrong with it is said, and nothing that was typed is lost.
  await page.goto(base + "/patterns/suggested");
  await page.getByRole("link", { name: "Complete and accept…" }).first().click();
  await glance("accept");
  await page.getByLabel("Name of the pattern").fill("npm-connection-lost");
  await page.getByLabel("What happened, in one line").fill("no seat of the licence server is free");
  await page.getByLabel("What it is").selectOption("service-unavailable");
  await page.getByLabel("What it means, for whoever meets it").fill("All seats of the pool are taken.");
  await page.getByLabel("What a person can do").fill("Ask for more seats, or run the simulation later.");
  page.refused = true;
  await press("Accept it");
  await page.getByRole("alert").getByText("is taken by a pattern").waitFor();
  await picture("not-accepted");
  page.refused = false;
  if (await page.getByLabel("What it is").inputValue() !== "service-unavailable") wrong("what was typed is lost");
  await page.getByLabel("Name of the pattern").fill("no-seat");
  await press("Accept it");
  await says("Accepted.");
  await picture("accepted");
  await page.locator("#d-back > summary").click();
  await press("Take it back");
  await says("Taken back.");

  await page.getByRole("link", { name: "Signed in as token:ann" }).click();
  await glance("signed-in");
  await press("Sign out");
  await page.getByLabel("Your token").waitFor();
  await page.goto(base + "/incidents/full");
  if (await page.locator("form[method=post]").count()) wrong("who has signed out is shown what to press");
  await page.context().close();
};

// Why there is no page, or nothing was done.
exports.refusals = async (browser, by) => {
  const { base, viewer, wrong } = by;
  const { page, signIn } = await hands(browser, by, {});
  page.refused = true;
  const no = async (answer, status, name, says) => {
    if (answer && answer.status() !== status) wrong(`${name}: ${answer.status()} instead of ${status}`);
    if (!(await page.textContent("main")).includes(says)) wrong(`${name} does not say "${says}"`);
    await by.glance(page, `no-${name}`);
  };
  await no(await page.goto(base + "/unpause?scope=fleet"), 401, "not-signed-in", "Sign in to act");
  await page.goto(base + "/incidents/to-deny");
  const away = await page.locator("#d-logs a").first().getAttribute("href");
  await no(await page.goto(base + away), 503, "log-away", "The log can’t be read right now");
  await page.goto(base + "/sign-in");
  await signIn(viewer);
  await page.waitForURL(base + "/");
  await no(await page.goto(base + "/pause"), 403, "too-little", "You may look, not act");
  await page.context().clearCookies();
  await page.goto(base + "/sign-in");
  await signIn(by.token);
  await page.waitForURL(base + "/");
  await no(await page.goto(base + "/unpause?scope=fleet"), 409, "too-late", "That can’t be done any more");
  await no(await page.goto(base + "/trends?days=8"), 400, "not-understood", "Days are 7, 30 or 90.");
  await page.context().close();
};

// Whoever guesses has to wait; last of all, because that holds for this machine for a while.
exports.tooOften = async (browser, by) => {
  const { page, signIn } = await hands(browser, by, {});
  page.refused = true;
  await page.goto(by.base + "/sign-in");
  await signIn("rgr_wrong");
  await page.getByText("the token is wrong").waitFor();
  await by.glance(page, "no-wrong-token");
  await page.evaluate(async () => {
    const guess = () => fetch("/sign-in", { method: "POST", body: new URLSearchParams({ token: "rgr_wrong" }) });
    for (let i = 0; i < 60 && (await guess()).status !== 429; i++);
  });
  await signIn("rgr_wrong");
  await page.getByText("too many wrong tokens").waitFor({ timeout: 5000 }).catch(() => by.wrong("who guesses too often is not told so"));
  await by.glance(page, "no-too-often");
  await page.context().close();
};
