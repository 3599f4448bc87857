import { IsIn, IsString, MaxLength } from 'class-validator';

/** Who may recover beside the masters. */
export class RecoveryRecipientBody {
  /** `data`: may read every backup; `catalog`: may only collect garbage. */
  @IsIn(['data', 'catalog']) class: 'data' | 'catalog';
  /** age public key, `age1...`; keep its identity offline. */
  @IsString() @MaxLength(4096) recipient: string;
}

export class RecoveryRecipientList {
  items: RecoveryRecipientBody[];
}
