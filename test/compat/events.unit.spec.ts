import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { catalogue } from '../../apps/master/src/catalogue.ts';
import { credentialDecider } from '../../apps/master/src/modules/credentials/domain/credential.decide.ts';
import { enrolmentDecider } from '../../apps/master/src/modules/enrolment/domain/enrolment.decide.ts';
import { apiKeyDecider } from '../../apps/master/src/modules/identity/domain/api-key.decide.ts';
import { userDecider } from '../../apps/master/src/modules/identity/domain/user.decide.ts';
import { installationDecider } from '../../apps/master/src/modules/installation/index.ts';
import { nameDecider } from '../../apps/master/src/modules/names/index.ts';
import { nodeDecider } from '../../apps/master/src/modules/nodes/index.ts';
import { placesDecider } from '../../apps/master/src/modules/places/index.ts';
import { presenceDecider } from '../../apps/master/src/modules/presence/index.ts';
import { repositoryDecider } from '../../apps/master/src/modules/repositories/index.ts';
import { parentDecider, runDecider } from '../../apps/master/src/modules/runs/index.ts';
import { snapshotDecider } from '../../apps/master/src/modules/snapshots/index.ts';
import { targetDecider } from '../../apps/master/src/modules/targets/index.ts';
import { laneDecider, taskDecider } from '../../apps/master/src/modules/tasks/index.ts';
import { upgradeDecider } from '../../apps/master/src/modules/upgrades/index.ts';
import { type RecordedEvent, eventCodec, eventHeader } from '#event-store';
import { type GivenEvent, projectionSpecification } from '#projections/testing';

/**
 * One example of every event type and version, as it lies in the stream, kept for ever: what any version of Holdfast has written,
 * every later one reads. `recorded: false` marks those that were written by hand from the type.
 */
interface Fixture {
  readonly recorded: boolean;
  readonly sequence: number;
  readonly subject: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data: object;
}
interface Evolving {
  readonly aggregate: string;
  readonly initialState: unknown;
  evolve(state: unknown, event: { readonly type: string; readonly data: object }): unknown;
}

const folder = join(import.meta.dirname, 'events');
const files = readdirSync(folder).filter((name) => /^[A-Za-z]+\.v\d+\.json$/.test(name)).sort();
const fixture = (name: string): Fixture => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Fixture;
const history = readFileSync(join(folder, 'history.ndjson'), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Fixture);

/** Deep-frozen, so that folding that mutates what it was given fails. */
const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !(value instanceof Date) && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(frozen);
  }
  return value;
};

const { types, readModels } = catalogue;
const decode = ({ sequence, subject, headers, data }: Fixture): RecordedEvent =>
  frozen(eventCodec(types, headers[eventHeader.installation] ?? '').decode({ sequence, subject, headers, data: JSON.stringify(data) }));

const deciders = new Map(([
  apiKeyDecider, credentialDecider, enrolmentDecider, installationDecider, laneDecider, nameDecider, nodeDecider, parentDecider, placesDecider, presenceDecider, repositoryDecider,
  runDecider, snapshotDecider, targetDecider, taskDecider, upgradeDecider, userDecider,
] as unknown as readonly Evolving[]).map((decider) => [decider.aggregate, decider]));

const evolve = (state: unknown, { aggregate, event }: RecordedEvent): unknown => {
  const decider = deciders.get(aggregate.type);
  if (!decider) throw new Error(`No decider for ${aggregate.type}`);
  return frozen(decider.evolve(state ?? decider.initialState, event));
};

const given = (event: RecordedEvent): GivenEvent<RecordedEvent['event']> =>
  ({ aggregate: event.aggregate, event: event.event, time: event.context.time, actor: event.context.actor });

/** What none of these files may hold: private keys, tokens, password hashes, and values under names that promise a secret. */
const secrets = [
  /AGE-SECRET-KEY-/, /\bS[AOUNCX][A-Z2-7]{56}\b/, /\beyJ[\w-]{10,}\.[\w-]+\.[\w-]+/, /-----BEGIN/, /\$argon2/,
  /"(password|passwordHash|secretAccessKey|token|seed|privateKey|identity|hash|cookie|authorization)":/i,
];

describe('event fixtures', () => {
  it('there is one for every event type of the code and each of its versions', () => {
    const wanted = types.names.flatMap((type) => Array.from({ length: types.version(type) }, (_, index) => `${type}.v${index + 1}.json`));
    expect(wanted.filter((name) => !files.includes(name)), 'record or write these').toEqual([]);
    expect(files.filter((name) => !wanted.includes(name)), 'the code has forgotten how to read these').toEqual([]);
  });

  describe.each(files)('%s', (name) => {
    const event = decode(fixture(name));
    it('decodes into today\'s shape as what its name says', () => {
      expect(fixture(name).headers).toMatchObject({ [eventHeader.type]: name.split('.')[0], [eventHeader.version]: /\.v(\d+)\./.exec(name)?.[1] });
      expect(event.context).toMatchObject({ time: expect.stringMatching(/^\d{4}-.*Z$/), actor: expect.stringMatching(/^(user|key|node|system):/), commandId: expect.stringMatching(/./) });
    });
    it('is taken by its aggregate', () => {
      expect(() => evolve(undefined, event)).not.toThrow();
    });
    it('is taken by every read model that handles it', () => {
      const handling = readModels.filter((model) => model.handles.includes(event.event.type));
      expect(handling.map((model) => model.name)).toContain('audit');
      for (const model of handling) expect(() => projectionSpecification(model).given(given(event)), model.name).not.toThrow();
    });
  });

  it.each([...files, 'history.ndjson'])('%s holds nothing that looks like a secret', (name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    for (const secret of secrets) expect(text).not.toMatch(secret);
  });
});

describe('the recorded history of a whole installation', () => {
  const events = history.map(decode);

  it('has no gap, and every revision follows the one before', () => {
    const revisions = new Map<string, number>();
    for (const [index, event] of events.entries()) {
      const aggregate = `${event.aggregate.type}.${event.aggregate.id}`;
      expect([event.sequence, event.revision]).toEqual([index + 1, (revisions.get(aggregate) ?? 0) + 1]);
      revisions.set(aggregate, event.revision);
    }
  });

  it('folds into every aggregate', () => {
    const states = new Map<string, unknown>();
    for (const event of events) {
      const aggregate = `${event.aggregate.type}.${event.aggregate.id}`;
      states.set(aggregate, evolve(states.get(aggregate), event));
    }
    const runs = [...states].filter(([aggregate]) => aggregate.startsWith('run.')).map(([, state]) => (state as { readonly status: string }).status);
    expect(runs.length).toBeGreaterThan(10);
    expect(runs.filter((status) => ['queued', 'dispatched', 'running', 'cancel-requested'].includes(status))).toEqual([]);
  });

  it('projects into the rows that the masters of its time had', () => {
    const expected = JSON.parse(readFileSync(join(folder, 'history.expected.json'), 'utf8')) as Record<string, Record<string, object>>;
    for (const [name, wanted] of Object.entries(expected)) {
      const model = readModels.find((one) => one.name === name);
      const rows = projectionSpecification(model!).given(...events.map(given));
      expect([...rows.keys()].sort(), name).toEqual(Object.keys(wanted).sort());
      expect(Object.fromEntries(rows), name).toMatchObject(wanted);
    }
  });
});
