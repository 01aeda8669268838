/** Errors as HTTP says them: a status, and JSON with what a Postgres client would be told. */
import { SqlError } from '../../operators/errors.ts';

export interface ErrorBody {
  error: {
    sqlstate: string;
    message: string;
    detail?: string;
    hint?: string;
    /** In the text that the client sent, from 1 on. */
    position?: number;
    context?: string;
  };
}

/** What is wrong with the request itself. */
export class HttpError extends Error {
  readonly status: number;
  readonly sqlstate: string;
  readonly hint: string | undefined;
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    message: string,
    more: { sqlstate?: string; hint?: string; headers?: Record<string, string> } = {},
  ) {
    super(message);
    this.status = status;
    this.sqlstate = more.sqlstate ?? '08P01';
    this.hint = more.hint;
    this.headers = more.headers ?? {};
  }
}

/** By SQLSTATE, or its class. */
const STATUS: Record<string, number> = {
  '08': 503,
  '08P01': 400,
  '23': 409,
  '28': 401,
  '28000': 403,
  '40': 409,
  '42501': 403,
  '53': 503,
  '54': 400,
  '55': 409,
  '57': 503,
  '57014': 504,
  '58': 500,
  F0: 500,
  XX: 500,
};

export function statusOf(sqlstate: string): number {
  return STATUS[sqlstate] ?? STATUS[sqlstate.slice(0, 2)] ?? 400;
}

/** An answer for what was thrown; null: it is a fault of ours. */
export function answerTo(error: unknown): { status: number; body: ErrorBody; headers: Record<string, string> } | null {
  if (error instanceof HttpError) {
    const { status, sqlstate, message, hint, headers } = error;
    return { status, body: { error: { sqlstate, message, hint } }, headers };
  }
  if (!(error instanceof SqlError)) return null;
  const { sqlstate, message, fields } = error;
  const { detail, hint, position, context } = fields;
  return {
    status: statusOf(sqlstate),
    body: { error: { sqlstate, message, detail, hint, position, context } },
    headers: {},
  };
}
