// What comes from outside, on record or in the address, on every page that could say it: none of it is carried out, and none of it
// becomes a part of the page. Here without the policy that forbids scripts: the escaping has to hold by itself.
"use strict";

const ADDRESS = `"><img src=x onerror="window.pwned=1"></script><script>window.pwned=1</script>'-window.pwned=1-'`;

exports.attempt = async (browser, base, token, wrong) => {
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  page.on("dialog", (dialog) => { wrong(`${page.url()}: a dialog`); return dialog.dismiss(); });
  const caught = async (where) => {
    const found = await page.evaluate(() => {
      const parts = [...document.querySelectorAll("img[src=x], script:not([src]), iframe, object, embed, base")];
      const all = [...document.querySelectorAll("*")];
      const acts = all.filter((node) => node.getAttributeNames().some((name) => name.startsWith("on")) || /^\s*(javascript|data|vbscript):/i.test(node.getAttribute("href") || node.getAttribute("action") || ""));
      return [window.pwned ? "it was carried out" : "", ...parts.concat(acts).map((node) => node.outerHTML.slice(0, 120))].filter(Boolean);
    });
    if (where) for (const what of found) wrong(`${where}: ${what}`);
    return found;
  };
  // The trap snaps: else it would catch nothing below either.
  await page.goto(base + "/sign-in");
  await page.evaluate((text) => { document.querySelector("main").append(document.createRange().createContextualFragment(`<p>"${text}</p>`)); }, ADDRESS);
  await page.waitForFunction(() => window.pwned, undefined, { timeout: 5000 }).catch(() => wrong("the trap does not snap"));
  if ((await caught("")).length < 3) wrong("the trap does not see what was put in");

  const text = encodeURIComponent(ADDRESS);
  const reflected = [
    ...["q", "repository", "pattern", "fingerprint", "state", "class", "since", "after"].map((name) => `/incidents?${name}=${text}`),
    `/incidents/${text}`, `/incidents/full/logs/${text}`, `/patterns?q=${text}`, `/patterns?class=${text}`, `/patterns/${text}`, `/trends?days=${text}`,
    `/settings?before=${text}`, `/sign-in?then=${text}`, `/sign-in?then=${encodeURIComponent("javascript:window.pwned=1")}`, `/${text}`, `/assets/${text}`,
  ];
  const stored = [
    "/", "/incidents", "/incidents/hostile-1", "/incidents/hostile-denied", "/incidents/hostile-steps", "/incidents/full", "/trends", "/patterns?q=hostile", "/patterns/own-hostile",
    "/patterns/suggested", "/playbooks", "/services", "/settings",
  ];
  for (const path of [...reflected, ...stored]) {
    await page.goto(base + path, { waitUntil: "load" });
    await caught(path);
  }
  const said = async (path, part) => {
    await page.goto(base + path);
    if (!(await page.textContent("main")).includes(part)) wrong(`${path}: what was to be tried is not shown`);
  };
  await said("/incidents/hostile-denied", `onerror="window.pwned=1"`);
  await said("/incidents/hostile-steps", `onerror="window.pwned=1"`);
  for (const name of ["Before", "After"]) {
    const records = await page.locator("#p-time details", { hasText: name }).evaluateAll((all) => all.map((one) => one.querySelector("pre").textContent));
    if (!records.some((text) => text.includes("window.pwned=1"))) wrong(`what was to be tried is not shown under ${name}`);
  }
  await said("/patterns/own-hostile", `onerror="window.pwned=1"`);
  await said("/playbooks", `onerror="window.pwned=1"`);
  await said(`/incidents?q=x&pattern=${text}`, `onerror="window.pwned=1"`);
  await page.goto(base + "/incidents/full");
  await page.getByRole("link", { name: "Read the log from here" }).click();
  await caught("the log of full");

  // A wrong token comes back with where it was to lead; and what operators see has forms.
  for (const shown of ["rgr_wrong", token]) {
    await page.goto(base + `/sign-in?then=${text}`);
    await page.getByLabel("Your token").fill(shown);
    await page.getByRole("button", { name: "Sign in" }).click();
    await caught("/sign-in");
  }
  for (const path of [`/sign-in?then=${text}`, `/unpause?scope=${text}`, `/pause`, "/", "/incidents/hostile-1", "/incidents/hostile-denied"]) {
    await page.goto(base + path, { waitUntil: "load" });
    await caught(`${path}, signed in`);
  }
  await context.close();
};
