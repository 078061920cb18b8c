// The official client of the Model Context Protocol against the real server. Usage: client.mjs SDK ASKED REGREEN ARGUMENT…
// ASKED is a JSON list of [tool, arguments]; what is answered is printed as one JSON object.
import { pathToFileURL } from "node:url";

const [sdk, asked, command, ...args] = process.argv.slice(2);
const from = (file) => import(pathToFileURL(`${sdk}/dist/esm/client/${file}`));
const { Client } = await from("index.js");
const { StdioClientTransport } = await from("stdio.js");

const client = new Client({ name: "regreen-test", version: "1" });
await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: "inherit" }));
const answers = [];
for (const [name, given] of JSON.parse(asked)) {
  try {
    answers.push(await client.callTool({ name, arguments: given }));
  } catch (error) {
    answers.push({ refused: error.message, code: error.code });
  }
}
const { tools } = await client.listTools();
console.log(JSON.stringify({
  server: client.getServerVersion(), instructions: client.getInstructions(), tools, answers,
}));
await client.close();
