import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Command, type SignaturePurpose, encodeMessage } from '#contracts';
import { type SigningKey, newSigningKey, signMessage } from '#identity';
import { MasterVoice } from '../session/master-voice.ts';
import { runId, scratch, workbench } from '../testing.ts';
import { CommandIntake } from './command-intake.ts';

const node = 'node_00000000000000000001';
const other = 'node_00000000000000000002';
const [key, stranger] = [newSigningKey(), newSigningKey()];
const command = (change: Partial<Command> = {}): Command =>
  ({ protocol: 1, node, run: runId(1), attempt: 1, verb: 'backup', issuedAt: '2026-01-01T00:00:00.000Z', ...change });

let room: ReturnType<typeof scratch>;
let bench: ReturnType<typeof workbench>;
let intake: CommandIntake;
beforeEach(() => {
  room = scratch();
  bench = workbench(room.dir);
  intake = new CommandIntake(node, new MasterVoice(node, [{ id: key.id, publicKey: key.publicKey }]), bench.context);
});
afterEach(async () => {
  await bench.scheduler.drain();
  bench.database.close();
  room.remove();
});

const take = (body: object, { signer = key, purpose = 'command', to = node }: { signer?: SigningKey; purpose?: SignaturePurpose; to?: string } = {}): void =>
  intake.take(encodeMessage(signMessage(signer, purpose, to, body)));
const codeOf = (work: () => void): unknown => {
  try {
    work();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown; retryable?: unknown }).retryable === false ? (error as { code: unknown }).code : error;
  }
};

describe('a command from the bus', () => {
  it('that a pinned key signed for this node is journalled', () => {
    take(command());
    expect(bench.journal.get({ run: runId(1), attempt: 1 })?.verb).toBe('backup');
  });

  it.each([
    ['signed by a key that is not pinned', () => take(command(), { signer: stranger }), 'signature-refused'],
    ['signed by a stranger under the name of a pinned key', () => take(command(), { signer: { ...stranger, id: key.id } }), 'signature-refused'],
    ['signed for another node', () => take(command(), { to: other }), 'signature-refused'],
    ['signed as an answer', () => take(command(), { purpose: 'answer' }), 'signature-refused'],
    ['changed after it was signed', () => {
      const message = signMessage(key, 'command', node, command());
      intake.take(encodeMessage({ ...message, payload: message.payload.replace('backup', 'prune') }));
    }, 'signature-refused'],
    ['genuine, with another node inside', () => take(command({ node: other })), 'foreign-command'],
    ['of a newer protocol', () => take(command({ protocol: 2 })), 'protocol-too-new'],
    ['with a verb nobody knows', () => take({ ...command(), verb: 'format' }), 'invalid-message'],
    ['with a field nobody knows', () => take({ ...command(), shell: 'rm' }), 'invalid-message'],
    ['to back up without a run', () => take({ protocol: 1, node, verb: 'backup', issuedAt: '' }), 'invalid-message'],
    ['that is no JSON', () => intake.take(Buffer.from('{')), 'invalid-message'],
    ['that is nothing', () => intake.take(new Uint8Array()), 'invalid-message'],
  ])('%s is refused for good and leaves no trace', (_, work, code) => {
    expect(codeOf(work)).toBe(code);
    expect(bench.journal.open()).toEqual([]);
  });

  it('to upgrade makes the agent ask at once, behind no work', () => {
    take({ protocol: 1, node, verb: 'upgrade', issuedAt: '' });
    expect({ asked: bench.askedNow.times, open: bench.journal.open() }).toEqual({ asked: 1, open: [] });
  });

  it('to rotate is journalled once however often it is told, and is no work of a run', () => {
    const rotate = { protocol: 1, node, verb: 'rotate', rotation: 'rot_00000000000000000001', issuedAt: '' };
    take(rotate);
    take(rotate);
    expect([bench.rotations.times, bench.journal.openOrders('rotate'), bench.journal.open()]).toEqual([1, [rotate.rotation], []]);
    bench.journal.closeOrder(rotate.rotation);
    take(rotate);
    expect([bench.rotations.times, bench.journal.openOrders('rotate')]).toEqual([1, []]);
    expect(codeOf(() => take({ ...rotate, rotation: undefined }))).toBe('invalid-message');
  });
});
