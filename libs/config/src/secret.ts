import { ValidateBy, type ValidationOptions } from 'class-validator';

/** Texts of examples and tutorials, with everything but letters and digits removed. */
const placeholders = /^(changeme|changeit|secret|password|randomstring|your.*secret|your.*key|example.*|placeholder|default|test|insecure.*|todo|xxx+|replace.*)$/;

/** True for texts that stand in documentation instead of a secret, or that repeat one character. */
export const isPlaceholder = (text: string): boolean =>
  placeholders.test(text.toLowerCase().replace(/[^a-z0-9]/g, '')) || /^(.)\1*$/.test(text);

/** At least 32 characters and nothing that stands in anybody's documentation. */
export const IsSecret = (options?: ValidationOptions): PropertyDecorator =>
  ValidateBy({
    name: 'isSecret',
    validator: {
      validate: (value: unknown) => typeof value === 'string' && value.length >= 32 && !isPlaceholder(value),
      defaultMessage: () => 'must be a random text of 32 characters or more and no placeholder; make one with: openssl rand -base64 32',
    },
  }, options);
