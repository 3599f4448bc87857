import { isAppError, messageOf } from '#kernel';
import { printable } from './format.ts';

/** Names and sentences that came from elsewhere are shown, never obeyed by the terminal; lines stay lines. */
const forTerminal = (text: string): string => text.split('\n').map(printable).join('\n');

/** Where a command writes: human text or one JSON object a line, never both. */
export class Output {
  private progressShown = false;

  /** @param json whether standard output carries JSON lines; people's text is left out then. */
  constructor(
    readonly json: boolean,
    private readonly stdout: NodeJS.WriteStream = process.stdout,
    private readonly stderr: NodeJS.WriteStream = process.stderr,
  ) {}

  /** A line for people. */
  text(line = ''): void {
    if (this.json) return;
    this.clearProgress();
    this.stdout.write(`${forTerminal(line)}\n`);
  }

  /** An object for programs; `message_type` says what it is. */
  message(type: string, fields: object): void {
    if (this.json) this.stdout.write(`${JSON.stringify({ message_type: type, ...fields })}\n`);
  }

  /** One or the other, whatever was asked for. */
  result(type: string, fields: object, human: string): void {
    this.message(type, fields);
    this.text(human);
  }

  /** A line that the next one replaces; on a terminal only. */
  progress(line: string): void {
    if (this.json || !this.stderr.isTTY) return;
    this.progressShown = true;
    this.stderr.write(`\r\u001b[K${printable(line).slice(0, (this.stderr.columns || 80) - 1)}`);
  }

  /** What is going on, for people, on standard error. */
  note(line: string): void {
    if (this.json) return;
    this.clearProgress();
    this.stderr.write(`${forTerminal(line)}\n`);
  }

  /** What this machine could not do for any entry: a line for people on standard error, or an object for programs. */
  remark(code: string, detail: string): void {
    this.message('note', { code, detail });
    this.note(`note: ${printable(detail)} [${code}]`);
  }

  /** An error with its code; as JSON on standard error when programs listen. */
  error(error: unknown): void {
    this.clearProgress();
    const code = isAppError(error) ? error.code : 'internal-error';
    const detail = isAppError(error) ? error.detail : messageOf(error);
    const fields = isAppError(error) ? (error.fields ?? []) : [];
    if (this.json) {
      this.stderr.write(`${JSON.stringify({ message_type: 'error', code, detail, ...(fields.length > 0 ? { errors: fields } : {}) })}\n`);
      return;
    }
    this.stderr.write(`holdfast: ${printable(detail)} [${code}]\n`);
    for (const field of fields) this.stderr.write(`  ${printable(field.field)}: ${printable(field.detail)}\n`);
  }

  private clearProgress(): void {
    if (!this.progressShown) return;
    this.progressShown = false;
    this.stderr.write('\r\u001b[K');
  }
}
