// Records one example of every event type and version of which there is none yet, from the archive of a running embedded stack.
// usage: node test/compat/record-events.mjs DATA_DIR [FROM=TO ...]    FROM=TO replaces text, for host names and paths of this machine.
// --history also writes the whole history anew, and what the read models made of it. Stop what runs there first.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import pg from 'pg';

const folder = join(dirname(fileURLToPath(import.meta.url)), 'events');
const { values, positionals } = parseArgs({ options: { history: { type: 'boolean' } }, allowPositionals: true });
const [data, ...replacements] = positionals;
if (!data) {
  console.error('usage: node test/compat/record-events.mjs DATA_DIR [FROM=TO ...] [--history]');
  process.exit(2);
}

/** The host's name is replaced where it is a whole value only: a short one may be part of an id. */
const neutral = (text) =>
  [...replacements.map((one) => one.split('=')), [`"${hostname()}"`, '"host-1.example.org"']].reduce((so, [from, to]) => so.replaceAll(from, to), text);

const client = new pg.Client({
  host: '127.0.0.1', port: JSON.parse(readFileSync(join(data, 'ports.json'), 'utf8')).postgres, user: 'holdfast', database: 'holdfast',
  password: readFileSync(join(data, 'postgres.password'), 'utf8').trim(),
});
await client.connect();
await client.query('begin isolation level repeatable read');
const { rows } = await client.query(
  'select sequence, aggregate_type, aggregate_id, type, version, headers::text as headers, data::text as data from archive.events order by sequence');
const expected = {};
for (const [model, columns] of Object.entries({
  nodes: 'id, name', targets: 'id, name', tasks: 'id, name', runs: 'id, kind, status',
  snapshots: 'id, run, verified_level as "verifiedLevel", verified_outcome as "verifiedOutcome"',
})) {
  const found = await client.query(`select ${columns} from read.${model} order by id`);
  expected[model] = Object.fromEntries(found.rows.map((row) => [row.id, row]));
}
await client.end();

const events = rows.map((row) => ({
  type: row.type, version: row.version,
  stored: {
    recorded: true, sequence: Number(row.sequence), subject: `hf.events.${row.aggregate_type}.${row.aggregate_id}`,
    headers: JSON.parse(neutral(row.headers)), data: JSON.parse(neutral(row.data)),
  },
}));

/** The example that shows most: as many properties as there are, and no longer than a reader bears. */
const richness = ({ stored: { data: body } }) => {
  const text = JSON.stringify(body);
  return text.length > 6000 ? -text.length : (text.match(/":/g) ?? []).length;
};
const best = new Map();
for (const event of events) {
  const name = `${event.type}.v${event.version}.json`;
  const before = best.get(name);
  if (!before || richness(event) > richness(before)) best.set(name, event);
}
for (const [name, { stored }] of best) {
  const file = join(folder, name);
  if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).recorded) continue;
  writeFileSync(file, `${JSON.stringify(stored, undefined, 2)}\n`);
  console.log(name);
}
if (values.history) {
  writeFileSync(join(folder, 'history.ndjson'), events.map(({ stored }) => `${JSON.stringify(stored)}\n`).join(''));
  writeFileSync(join(folder, 'history.expected.json'), `${neutral(JSON.stringify(expected, undefined, 1))}\n`);
}
