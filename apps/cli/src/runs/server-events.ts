/** One server-sent event (HTML Living Standard, "Interpreting an event stream"). */
export interface ServerEvent {
  /** `message` where the server gave no name. */
  readonly event: string;
  /** The last id that was seen, of this event or of one before it. */
  readonly id: string;
  readonly data: string;
}

/** Characters of one event; a server that sends more is not ours. */
const longest = 64 * 1024 * 1024;

const fieldsOf = (block: string): readonly (readonly [string, string])[] =>
  block.split('\n').map((line) => {
    const colon = line.indexOf(':');
    return colon < 0 ? [line, ''] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
  });

const eventOf = (block: string, lastId: string): ServerEvent => {
  const fields = fieldsOf(block);
  const values = (name: string): string[] => fields.filter(([field]) => field === name).map(([, value]) => value);
  return { event: values('event').at(-1) ?? 'message', id: values('id').at(-1) ?? lastId, data: values('data').join('\n') };
};

/** The events of a stream with `\n` line ends, as our masters send it. Blocks without data (comments, `retry`) are passed over; an event that was cut off is dropped. */
export async function* serverEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let [text, id] = ['', ''];
  for await (const part of body) {
    text += decoder.decode(part, { stream: true });
    if (text.length > longest) throw new Error('The master sent an event without an end');
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const found = eventOf(block, id);
      ({ id } = found);
      if (found.data !== '') yield found;
    }
  }
}
