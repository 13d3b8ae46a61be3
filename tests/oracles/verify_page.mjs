// Walks the page /verify in a real browser: verify_page.mjs BASE DIR, where DIR holds trust.json, other-trust.json, good-*.json
// and changed.json. Prints what the page said and everything that the browser asked for, as JSON.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [base, dir, modules, browserPath] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, "package.json"))("playwright-core");
const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath: browserPath, args: quiet });
const asked = [];
const walk = async (address, offline) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(address);
  await page.waitForSelector("body[data-ready=true]");
  if (offline) await context.setOffline(true);
  const good = readdirSync(dir).filter((name) => name.startsWith("good-")).sort().map((name) => join(dir, name));
  const said = async (files) => {
    await page.setInputFiles("#receipts", files);
    await page.waitForFunction((n) => document.querySelectorAll("#verdicts article").length === n, files.length);
    return page.$$eval("#verdicts article", (all) => all.map((a) => ({ holds: a.className === "holds", text: a.innerText })));
  };
  await page.setInputFiles("#trust", join(dir, "trust.json"));
  const honest = await said(good);
  const changed = await said([join(dir, "changed.json")]);
  // A dropped file goes the same way as a chosen one.
  const data = await page.evaluateHandle((text) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([text], "dropped.json"));
    return transfer;
  }, readFileSync(good[0], "utf8"));
  await page.dispatchEvent("label[for=receipts]", "drop", { dataTransfer: data });
  await page.waitForFunction(() => document.querySelector("#verdicts article")?.innerText.includes("dropped.json"));
  const dropped = await page.$$eval("#verdicts article", (all) => all.map((a) => ({ holds: a.className === "holds", text: a.innerText })));
  // Even a script of the page's own could not send anything.
  const sent = await page.evaluate((to) => fetch(to).then(() => "sent", () => "refused"), base + "/health/live");
  await page.setInputFiles("#trust", join(dir, "other-trust.json"));
  await page.waitForSelector("#verdicts article.broken");
  const other = await page.$$eval("#verdicts article", (all) => all.map((a) => ({ holds: a.className === "holds", text: a.innerText })));
  await context.close();
  return { honest, changed, dropped, other, sent, errors: errors.filter((line) => !line.includes("Content Security Policy")) };
};
const served = await walk(base + "/verify", false);
const saved = join(dir, "saved.html");
writeFileSync(saved, await (await fetch(base + "/verify")).text());
const fromFile = await walk("file://" + saved, true);
await browser.close();
console.log(JSON.stringify({ served, fromFile, asked }));
