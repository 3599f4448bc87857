/** An aggregate: its type and id make the one subject `hf.events.<type>.<id>`. */
export interface AggregateRef {
  readonly type: string;
  readonly id: string;
}

/** A fact as a decider makes it: a past-tense type and JSON data. Dates are RFC 3339 strings; bytes are base64. */
export interface DomainEvent<Type extends string = string, Data extends object = object> {
  readonly type: Type;
  readonly data: Data;
}

/** Who decided, when, and because of what; the same for all events of a command. */
export interface EventContext {
  /** RFC 3339, the deciding master's Clock: the time of record. */
  readonly time: string;
  /** `user:<id>`, `key:<id>`, `node:<id>` or `system:<duty>`. */
  readonly actor: string;
  /** Client address, where there is a client. */
  readonly from?: string;
  /** Id of the command: event ids are derived from it, so deciding it twice appends once. */
  readonly commandId: string;
  /** W3C trace context. */
  readonly traceparent?: string;
}

/** An event as it lies in the log, upcast to today's shape. */
export interface RecordedEvent<E extends DomainEvent = DomainEvent> {
  /** Sequence in the stream EVENTS; grows along the log, with no gap. */
  readonly sequence: number;
  /** 1..n inside the aggregate; the ETag. */
  readonly revision: number;
  readonly id: string;
  readonly aggregate: AggregateRef;
  readonly event: E;
  readonly context: EventContext;
}

/** An aggregate as the store knows it now. */
export interface LoadedAggregate {
  readonly events: readonly RecordedEvent[];
  /** Stream sequence of its last event: what the next append expects. 0 when there is none. */
  readonly sequence: number;
  /** Number of its events. */
  readonly revision: number;
}

/** A place in the history of one aggregate. */
export interface LogPosition {
  /** Stream sequence of one of its events. */
  readonly sequence: number;
  /** Revision of that event. */
  readonly revision: number;
}
