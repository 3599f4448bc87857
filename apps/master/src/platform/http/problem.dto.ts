/** One faulty field. */
export class FieldFaultAnswer {
  /** Dotted path. */
  field: string;
  /** What to do. */
  detail: string;
}

/** Every error answer: RFC 9457 problem details. */
export class ProblemAnswer {
  /** A URI that is as stable as the code. */
  type: string;
  title: string;
  status: number;
  /** Stable, kebab-case; what programs look at. */
  code: string;
  /** A sentence that says what to do. */
  detail: string;
  /** Path of the request. */
  instance: string;
  errors?: FieldFaultAnswer[];
}
