import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import Database from "better-sqlite3";
import t from "tap";
import type { Environment } from "../config/environment.ts";
import { version } from "../version.ts";
import { exitCodes } from "./exit-codes.ts";
import { run } from "./run.ts";

/** Runs a command to its end, with something piped into it or typed at it. */
async function hearth(
  words: readonly string[],
  environment: Environment = {},
  { piped = "", typed }: { piped?: string; typed?: string } = {},
) {
  const [output, errors] = [new PassThrough(), new PassThrough()];
  const stdin = Object.assign(new PassThrough(), { isTTY: typed !== undefined });
  stdin.end(typed ?? piped);
  const signals = new EventEmitter();
  const code = await run(words, { input: stdin, output, errors, environment, signals });
  output.end();
  errors.end();
  return { code, output: await text(output), errors: await text(errors) };
}

t.test("help names every command, and each command explains itself", async (t) => {
  for (const words of [[], ["--help"], ["-h"], ["help"]]) {
    const { code, output } = await hearth(words);
    t.equal(code, exitCodes.success);
    t.match(output, /Usage: hearth COMMAND/);
  }
  const names = [
    "start",
    "user create",
    "backup",
    "backup verify",
    "restore",
    "config check",
    "config example",
  ];
  for (const command of names) {
    t.match((await hearth(["--help"])).output, `  ${command} `);
    const { code, output } = await hearth([...command.split(" "), "--help"]);
    t.equal(code, exitCodes.success);
    t.match(output, `Usage: hearth ${command}`);
    t.match(output, "Examples:");
  }
});

t.test("the version", async (t) => {
  t.equal((await hearth(["--version"])).output, `hearth ${version}\n`);
});

t.test("a wrong command line is told in one line", async (t) => {
  const wrong = {
    strat: 'There is no command "strat". Did you mean start?',
    "usr create bob": 'There is no command "usr". Did you mean user create?',
    frobnicate: 'There is no command "frobnicate". Run `hearth --help` for the list.',
    user: 'After "user" comes one of: create.',
    "config chekc": 'After "config" comes one of: check, example.',
    "user create":
      "NAME is missing. Usage: hearth user create NAME [--admin] [--password-stdin] [--config FILE]",
    backup:
      "PLACE is missing. Usage: hearth backup PLACE [--keep N] [--max-rate MIB] [--json] [--config FILE]",
    "backup verify": "FROM is missing. Usage: hearth backup verify FROM [--max-rate MIB] [--json]",
    "backup place --keep 0": '--keep takes a whole number from 1 on, and "0" is none.',
    "backup place --max-rate fast": '--max-rate takes a whole number from 1 on, and "fast" is none.',
    "start now": '"now" is one word too many. Usage: hearth start [--config FILE]',
    "start --port 1": "Unknown option '--port'. Usage: hearth start [--config FILE]",
    "start --config": "Option '--config <value>' argument missing. Usage: hearth start [--config FILE]",
    "user create bob": "There is no terminal to ask for a password: pipe it in and add --password-stdin.",
    "user create bob --password-stdin": "Standard input had no password.",
  };
  for (const [words, sentence] of Object.entries(wrong)) {
    t.strictSame(await hearth(words.split(" ")), {
      code: exitCodes.usage,
      output: "",
      errors: `hearth: ${sentence}\n`,
    });
  }
});

t.test("config check says what is served, or what is wrong", async (t) => {
  const folder = t.testdir({
    "good.yaml": "server_name: example.org\ndata_dir: state\n",
    "bad.yaml": "server_name: example.org\nregistration: { mdoe: open }\n",
  });
  t.strictSame(await hearth(["config", "check", "--config", join(folder, "good.yaml")]), {
    code: exitCodes.success,
    output:
      `The configuration is right. It serves example.org from ${folder}/state\n` +
      "  http on 127.0.0.1 port 8008: client, federation, admin\n",
    errors: "",
  });
  t.strictSame(await hearth(["config", "check"], { HEARTH_CONFIG: join(folder, "bad.yaml") }), {
    code: exitCodes.badConfig,
    output: "",
    errors:
      `hearth: ${folder}/bad.yaml:2: registration.mdoe is not a key of the configuration; ` +
      "did you mean registration.mode?\n",
  });
});

t.test("config example prints the file that the repository has", async (t) => {
  const { code, output } = await hearth(["config", "example"]);
  t.equal(code, exitCodes.success);
  t.match(output, /^server_name: example\.org$/m);
});

t.test("user create makes an account once, with the password that is piped in or typed twice", async (t) => {
  const environment = {
    HEARTH_DATA_DIR: join(t.testdir({}), "data"),
    HEARTH_PASSWORD_HASHING: '{ "memory_kib": 64, "passes": 1 }',
  };
  const create = (...words: string[]) => ["user", "create", ...words];
  const piped = "correct horse battery\n";
  t.strictSame(await hearth(create("alice", "--admin", "--password-stdin"), environment, { piped }), {
    code: exitCodes.success,
    output: "Made the administrator's account @alice:localhost\n",
    errors: "",
  });
  t.match(await hearth(create("@alice:localhost", "--password-stdin"), environment, { piped }), {
    code: exitCodes.refused,
    output: "",
    errors: /^hearth: .*taken.*\n$/,
  });
  const typed = (answers: string) => hearth(create("bob"), environment, { typed: answers });
  t.match(await typed("one password\nanother\n"), {
    code: exitCodes.usage,
    errors: "The two passwords differ.",
  });
  t.match(await typed("\n"), { code: exitCodes.usage, errors: "The password is empty." });
  t.match(await typed("\x03"), {
    code: exitCodes.usage,
    errors: "No password was given, so nothing was done.",
  });
  const made = await typed("one password\none password\n");
  t.match(made, { code: exitCodes.success, output: "Made the account @bob:localhost\n" });
  t.notMatch(made.errors, "one password", "what is typed is not shown");
});

/** The same in a process of its own. */
async function hearthProcess(words: readonly string[], environment: Environment) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "../main.ts"), ...words], {
    env: environment,
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  return { code: child.exitCode, output, errors };
}

t.test("start names what stands in its way, each with its own exit code", async (t) => {
  const folder = t.testdir({ file: "", newer: {}, keyless: { "signing.key": "" } });
  const newer = new Database(join(folder, "newer/hearth.db"));
  newer.pragma("user_version = 99999");
  newer.close();
  const blocker = createServer().listen(0, "127.0.0.1");
  await once(blocker, "listening");
  t.teardown(() => blocker.close());
  const address = blocker.address();
  const port = typeof address === "object" ? address?.port : undefined;

  const start = (dataFolder: string, listener: object = {}) =>
    hearthProcess(["start"], {
      HEARTH_DATA_DIR: join(folder, dataFolder),
      HEARTH_LISTENERS: JSON.stringify([{ port: 0, apis: ["client"], ...listener }]),
      HEARTH_LOG__FORMAT: "json",
    });
  const file = join(folder, "file");
  const attempts = [
    { ended: start("a", { port }), code: exitCodes.portInUse, named: `Port ${port}` },
    { ended: start("file/data"), code: exitCodes.unwritable, named: join(folder, "file/data") },
    { ended: start("newer"), code: exitCodes.newerDatabase, named: join(folder, "newer") },
    { ended: start("keyless"), code: exitCodes.badKey, named: join(folder, "keyless/signing.key") },
    { ended: start("b", { tls: { cert: file, key: file } }), code: exitCodes.badTls, named: file },
  ];
  for (const { ended, code, named } of attempts) {
    const attempt = await ended;
    t.match(attempt, { code, output: "", errors: named });
    t.match(attempt.errors, /^hearth: [^\n]+\n$/, "one sentence");
  }
});
