import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isAgeRecipient, isNkey, newSigningKey, nkeyFromSeed } from '#identity';
import { recipientOf } from '#repository';
import { readNodeIdentity } from '../state/node-identity.ts';
import { openStateDirectory } from '../state/state-directory.ts';
import { agentVersion } from '../version.ts';
import { scratch } from '../testing.ts';
import { enrolCommand } from './enrol.command.ts';
import type { EnrolmentRequest } from './enrolment-client.ts';

const key = newSigningKey();
const good = {
  node: 'node_00000000000000000001', name: 'host', installation: 'inst_1', jwt: 'a.b.c', jwtExpiresAt: '2026-01-01T00:00:00.000Z',
  natsUrls: ['nats://127.0.0.1:4222'], commandKeys: [{ id: key.id, publicKey: key.publicKey }],
};
let server: Server;
let url: string;
let answer: { status: number; body: unknown };
let asked: EnrolmentRequest[];
let room: ReturnType<typeof scratch>;
let state: string;

beforeEach(async () => {
  room = scratch();
  state = join(room.dir, 'state');
  asked = [];
  answer = { status: 200, body: good };
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => { text += chunk.toString(); });
    request.on('end', () => {
      asked.push(JSON.parse(text) as EnrolmentRequest);
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  room.remove();
});

const enrol = (...more: string[]) => enrolCommand(['--master', url, '--state', state, ...more], { HOLDFAST_ENROL_TOKEN: 'token-1' });

describe('agent enrol', () => {
  it('makes both keys here, sends the public halves only, and keeps the rest for its owner', async () => {
    await enrol();
    const { facts, natsSeed, ageIdentity } = readNodeIdentity(openStateDirectory(state));
    const [request] = asked;
    expect(request).toMatchObject({ token: 'token-1', publicKey: nkeyFromSeed('user', natsSeed).publicKey, recipient: await recipientOf(ageIdentity) });
    expect([isNkey('user', request!.publicKey), isAgeRecipient(request!.recipient)]).toEqual([true, true]);
    expect(JSON.stringify(request)).not.toMatch(/SU[A-Z2-7]{56}|AGE-SECRET-KEY/);
    expect(facts).toMatchObject({ node: good.node, master: url, natsUrls: good.natsUrls, commandKeys: good.commandKeys });
    for (const name of ['nats.seed', 'nats.jwt', 'age.identity', 'node.json']) expect(statSync(join(state, name)).mode & 0o777).toBe(0o600);
    expect(statSync(state).mode & 0o777).toBe(0o700);
  });

  it('does not spend a link on a state directory that is enrolled, unless told to', async () => {
    await enrol();
    await expect(enrol()).rejects.toThrow('already-enrolled');
    expect(asked).toHaveLength(1);
    const before = readNodeIdentity(openStateDirectory(state)).natsSeed;
    await enrol('--again');
    expect(readNodeIdentity(openStateDirectory(state)).natsSeed).not.toBe(before);
  });

  it('keeps the identity it has when the link was for another node', async () => {
    await enrol();
    answer.body = { ...good, node: 'node_00000000000000000002' };
    await expect(enrol('--again')).rejects.toThrow('other-node');
    expect(readNodeIdentity(openStateDirectory(state)).facts.node).toBe(good.node);
  });

  it.each([
    ['a refusal', { status: 403, body: { code: 'link-spent', detail: 'Ask for a new link' } }, 'link-spent: Ask for a new link'],
    ['a failure', { status: 503, body: 'down' }, 'master-refused'],
    ['no command key', { status: 200, body: { ...good, commandKeys: [] } }, 'enrolment-answer-invalid'],
    ['something else', { status: 200, body: { hello: 'world' } }, 'enrolment-answer-invalid'],
  ])('says what is wrong with %s and writes nothing', async (_, given, message) => {
    answer = given;
    await expect(enrol()).rejects.toThrow(message);
    expect(() => readNodeIdentity(openStateDirectory(state))).toThrow('not-enrolled');
  });

  it.each([
    [['--token', 'x'], 'invalid-arguments'],
    [['--master', 'nonsense', '--token', 'x'], 'invalid-arguments'],
    [['--master', 'http://127.0.0.1:1', '--frobnicate'], 'invalid-arguments'],
    [['--master', 'http://127.0.0.1:1', '--token', 'x', ], 'master-unreachable'],
  ])('refuses %j', async (args, code) => {
    await expect(enrolCommand(args, { HOLDFAST_STATE_DIR: state })).rejects.toThrow(code);
  });

  it('an identity that is damaged is told apart from none, and can be replaced', async () => {
    await enrol();
    writeFileSync(join(state, 'node.json'), '{');
    expect(() => readNodeIdentity(openStateDirectory(state))).toThrow('identity-damaged');
    await expect(enrol()).rejects.toThrow('identity-damaged');
    await enrol('--again');
    expect(readNodeIdentity(openStateDirectory(state)).facts.node).toBe(good.node);
  });

  it('the version it tells is the package\'s', () => {
    expect(agentVersion).toBe((JSON.parse(readFileSync(join(import.meta.dirname, '../../../../package.json'), 'utf8')) as { version: string }).version);
  });
});
