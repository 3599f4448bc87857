// Writes docs/design/event-catalogue.md from the event types of the code; with --check only compares (exit code 1: out of date).
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import ts from 'typescript';

const file = 'docs/design/event-catalogue.md';
const aggregateOf = (source) => source.match(/modules\/([^/]+)\//)[1];

const commentOf = (node, text) => {
  const [range] = ts.getLeadingCommentRanges(text, node.getFullStart())?.slice(-1) ?? [];
  if (!range || !text.startsWith('/**', range.pos)) return '';
  return text.slice(range.pos + 3, range.end - 2).replace(/\s*\n\s*\* ?/g, ' ').trim();
};

/** `{ readonly a: string; ... }` as `a: string, ...`, without the comments between. */
const fieldsOf = (type, source) =>
  type.getText(source)
    .replace(/\/\*\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '').replace(/readonly /g, '').replace(/\s+/g, ' ')
    .replace(/^\{ ?/, '').replace(/;? ?\}$/, '').replace(/; /g, ', ').replace(/\|/g, '\\|');

const eventsOf = (path) => {
  const text = readFileSync(path, 'utf8');
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  return source.statements.filter((node) => ts.isTypeAliasDeclaration(node) && node.type.getText(source).startsWith('DomainEvent<')).map((node) => ({
    name: node.name.text, comment: commentOf(node, text), fields: fieldsOf(node.type.typeArguments[1], source),
  }));
};

const slices = new Map();
for (const path of globSync('apps/master/src/modules/*/domain/*.ts').filter((p) => !p.includes('.spec.')).sort()) {
  const events = eventsOf(path);
  if (events.length > 0) slices.set(aggregateOf(path), [...(slices.get(aggregateOf(path)) ?? []), ...events]);
}

const lines = [
  '# Event catalogue', '',
  'Written by `scripts/event-catalogue.mjs` from `apps/master/src/modules/*/domain`; do not edit. Subjects are `hf.events.<aggregate>.<id>`',
  'in the stream EVENTS. Only masters append. Headers: `Nats-Msg-Id` (event id), `Hf-Type`, `Hf-Version`, `Hf-Time`, `Hf-Revision`, `Hf-Actor`,',
  '`Hf-From`, `Hf-Command`, `Hf-Installation`, `traceparent`. Bodies are JSON; no secret and no hash of a secret is in one.', '',
];
for (const [slice, events] of slices) {
  lines.push(`## ${slice}`, '', '| event | says | data |', '|---|---|---|');
  for (const { name, comment, fields } of events) lines.push(`| \`${name}\` | ${comment.replace(/\|/g, '\\|') || ' '} | ${fields ? `\`${fields}\`` : ' '} |`);
  lines.push('');
}
const text = `${lines.join('\n').trimEnd()}\n`;

if (process.argv.includes('--check')) {
  const there = readFileSync(file, 'utf8');
  if (there !== text) {
    console.error(`${file} is out of date; run npm run catalogue`);
    process.exit(1);
  }
} else writeFileSync(file, text);
