import type { NextFunction, Request, Response } from 'express';

/** Headers by which browsers refuse to embed, sniff or leak. The console and the API pages bring all they need themselves. */
export const secureHeaders = (_request: Request, response: Response, next: NextFunction): void => {
  response.set({
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Content-Security-Policy': "default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'",
  });
  next();
};
