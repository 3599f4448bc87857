import type { NextFunction, Request, Response } from 'express';
import { fault } from '#kernel';

/** Levels of objects and lists that a body may have. */
const deepest = 32;

const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

const tooDeep = () => fault('validation', 'body-too-deep', `Send a body of at most ${deepest} levels of objects and lists`);
const notStorable = () => fault('validation', 'text-not-storable', 'Send text without NUL characters and halves of surrogate pairs; no database keeps them');

const isPlain = (path: string): boolean => {
  try {
    return isStorable(decodeURIComponent(path));
  } catch {
    return false;
  }
};

/** Throws for a body that is deeper than `deepest`, or holds text that the read models could not keep. */
export const checkBody = (body: unknown): void => {
  let level: unknown[] = [body];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > deepest) throw tooDeep();
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value === 'string' && !isStorable(value)) throw notStorable();
      if (typeof value !== 'object' || value === null) continue;
      if (!Object.keys(value).every(isStorable)) throw notStorable();
      for (const inner of Object.values(value)) next.push(inner);
    }
    level = next;
  }
};

/**
 * Refuses what is well-formed JSON, or a well-formed URL, and still nothing that the rest can work with. In front of everything, as one
 * such text in an event would be read by every master for ever.
 */
export const plainInput = (request: Request, _response: Response, next: NextFunction): void => {
  if (!isPlain(request.originalUrl)) throw notStorable();
  checkBody(request.body);
  next();
};
