import { type FieldFault, type Refusal, type Result, err, ok, refuse } from '#kernel';
import { foldName } from '../../names/index.ts';

/** Names of one batch at most. */
export const mostNames = 50;

/** A name of the list and the line it stands on, counted from 1. */
export interface NamedLine {
  readonly line: number;
  readonly name: string;
}

/** Who has a name already, by its folded form: the id of a node. */
export type Owners = ReadonlyMap<string, string>;

const nameShape = /^[\p{L}\p{N}][\p{L}\p{N} ._-]*$/u;

/** The names of a pasted list, one a line. Empty lines and those that begin with `#` are none. */
export const namesOf = (lines: readonly string[]): NamedLine[] =>
  lines.flatMap((text, index) => {
    const name = text.trim();
    return name === '' || name.startsWith('#') ? [] : [{ line: index + 1, name }];
  });

const faultOf = ({ line, name }: NamedLine, first: NamedLine | undefined, owner: string | undefined): FieldFault | undefined => {
  const shown = `line ${line}: "${name.slice(0, 64)}"`;
  const fault = (detail: string): FieldFault => ({ field: `names[${line - 1}]`, detail: `${shown} ${detail}` });
  if (name.length > 64 || !nameShape.test(name)) {
    return fault('is no name for a node: up to 64 letters, digits, spaces, dots, dashes and underscores, the first a letter or a digit');
  }
  if (first && first.line !== line) return fault(`stands on line ${first.line} already`);
  return owner === undefined ? undefined : fault(`is the name of ${owner}, which exists; make a link for that one, or choose another name`);
};

/** All or nothing: the names, or every line that is in the way of the whole batch, in one refusal. Names that fold to the same are one. */
export const checkBatch = (names: readonly NamedLine[], owners: Owners): Result<readonly NamedLine[], Refusal> => {
  if (names.length === 0) return err(refuse('validation', 'batch-refused', 'Name at least one node, one a line'));
  if (names.length > mostNames) return err(refuse('validation', 'batch-refused', `These are ${names.length} names; a batch takes ${mostNames} at most`));
  const firsts = new Map<string, NamedLine>();
  const faults: FieldFault[] = [];
  for (const one of names) {
    const folded = foldName(one.name);
    const fault = faultOf(one, firsts.get(folded), owners.get(folded));
    if (fault) faults.push(fault);
    if (!firsts.has(folded)) firsts.set(folded, one);
  }
  return faults.length === 0
    ? ok(names)
    : err(refuse('conflict', 'batch-refused', `${faults.length} of ${names.length} names cannot be taken, so no node was added; correct them and send the list again`, faults));
};
