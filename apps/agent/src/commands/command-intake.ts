import { Command, protocolVersion, parseMessage } from '#contracts';
import { AppError, fault, unreachable } from '#kernel';
import type { MasterVoice } from '../session/master-voice.ts';
import { backup } from './backup.command.ts';
import type { CommandContext, RunCommand } from './command-context.ts';
import { restore } from './restore.command.ts';
import { rotate } from './rotate.command.ts';
import { stop } from './stop.command.ts';
import { upgrade } from './upgrade.command.ts';
import { unsupported } from './unsupported.command.ts';

/** Takes commands from the bus: believes nothing, writes down what is genuine, and lets it be acknowledged at once. */
export class CommandIntake {
  private readonly node: string;
  private readonly voice: MasterVoice;
  private readonly context: CommandContext;

  constructor(node: string, voice: MasterVoice, context: CommandContext) {
    this.node = node;
    this.voice = voice;
    this.context = context;
  }

  /**
   * @param bytes JSON of a `SignedMessage` around a `Command`. Throws permanent errors (`message-not-signed`, `invalid-message`,
   * `foreign-command`, `protocol-too-new`): the message is to be terminated. When it returns, the command is durably journalled.
   */
  take(bytes: Uint8Array): void {
    const heard = this.voice.hear('command', bytes);
    if (!heard.ok) throw new AppError(heard.error);
    const command = parseMessage(Command, heard.value);
    if (!command.ok) throw new AppError(command.error);
    this.check(command.value);
    this.dispatch(command.value);
  }

  private check(command: Command): void {
    if (command.node !== this.node) throw fault('forbidden', 'foreign-command', 'The command is for another node');
    if (command.protocol > protocolVersion) {
      throw fault('refused', 'protocol-too-new', `The command speaks protocol ${command.protocol}; this agent knows ${protocolVersion}: update the agent`);
    }
  }

  private dispatch(command: Command): void {
    switch (command.verb) {
      case 'backup':
        return backup(ofRun(command), this.context);
      case 'restore':
        return restore(ofRun(command), this.context);
      case 'stop':
        return stop(ofRun(command), this.context);
      case 'verify':
      case 'prune':
        return unsupported(ofRun(command), this.context);
      case 'rotate':
        return rotate(command, this.context);
      case 'upgrade':
        return upgrade(this.context);
      default:
        return unreachable(command.verb, 'verb');
    }
  }
}

const ofRun = (command: Command): RunCommand => {
  const { run, attempt } = command;
  if (run === undefined || attempt === undefined) {
    throw fault('validation', 'invalid-message', `A ${command.verb} command must name a run and an attempt`);
  }
  return { ...command, run, attempt };
};
