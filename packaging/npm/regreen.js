#!/usr/bin/env node
// Starts the program that the package for this platform carries. Nothing is downloaded, nothing runs at installation.
"use strict";
const { spawn } = require("node:child_process");

const platform = `${process.platform}-${process.arch}`;
let program;
try {
  program = require.resolve(`@regreen/${platform}/bin/regreen`);
} catch {
  console.error(`regreen: error: there is no regreen for ${platform}, or it was left out at installation
  help: it runs on linux-x64 and linux-arm64; install without --omit=optional`);
  process.exit(1);
}
const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// A terminal tells all of its processes of Ctrl-C by itself; elsewhere it is passed on. The child decides when to end.
process.on("SIGINT", () => process.stdin.isTTY || child.kill("SIGINT"));
for (const signal of ["SIGTERM", "SIGHUP", "SIGQUIT"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`regreen: error: ${program} can't be started: ${error.message}`);
  process.exit(126);
});
child.on("exit", (code, signal) => {
  if (!signal) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
