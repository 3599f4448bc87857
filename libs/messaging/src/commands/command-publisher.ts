import type { NatsConnection } from 'nats';
import { type Command, commandMessageId, encodeMessage, streams, subjects } from '#contracts';
import { type SigningKey, signMessage } from '#identity';
import { type Clock, fault, inStep } from '#kernel';

/** Puts signed commands into COMMANDS. */
export class CommandPublisher {
  private readonly connection: NatsConnection;
  private readonly key: SigningKey;
  private readonly clock: Clock;

  constructor(connection: NatsConnection, key: SigningKey, clock: Clock) {
    this.connection = connection;
    this.key = key;
    this.clock = clock;
  }

  /**
   * Resolves when the stream has stored the command: what is sent while disconnected is never believed sent. The message id is a
   * function of the command and of `repetition`, and the agent claims before it works, so sending again is harmless. The stream drops
   * the same repetition when it comes twice within two minutes; a higher one reaches the agent again. Throws `command-not-sent`
   * (retryable).
   */
  async send(command: Command, repetition = 0): Promise<void> {
    const message = encodeMessage(signMessage(this.key, 'command', command.node, command));
    try {
      await inStep(this.connection, this.clock);
      await this.connection.jetstream().publish(subjects.command(command.node, command.verb), message, {
        msgID: commandMessageId(command, repetition), expect: { streamName: streams.commands }, timeout: 5000,
      });
    } catch (cause) {
      throw fault('unavailable', 'command-not-sent', 'The bus did not store the command; it is sent again', { cause });
    }
  }
}
