/**
 * The third release: a currency, and gifts. Its schema is written by hand: anything that keeps to Standard Schema will do.
 */
import { aggregate } from 'troupe';
import { type OldOrder, withLines } from './version-2.js';

interface Line {
  readonly sku: string;
  readonly quantity: number;
  readonly mills: number;
}

export interface Order {
  readonly lines: readonly Line[];
  readonly currency: string;
}

/** Says what is wrong with an order of today. */
function issuesOf(value: unknown): { message: string; path?: string[] }[] {
  // Reading fields of an object as unknown is safe.
  const { lines, currency } = Object(value) as { readonly lines?: unknown; readonly currency?: unknown };
  const issues: { message: string; path?: string[] }[] = [];
  if (!Array.isArray(lines) || lines.length === 0) issues.push({ message: 'expected lines', path: ['lines'] });
  if (typeof currency !== 'string' || !/^[A-Z]{3}$/.test(currency))
    issues.push({ message: 'expected a currency such as GBP', path: ['currency'] });
  return issues;
}

export const orderSchema = {
  '~standard': {
    version: 1 as const,
    vendor: 'by hand',
    validate(value: unknown) {
      const issues = issuesOf(value);
      // Without issues it has the fields of an order.
      return issues.length > 0 ? { issues } : { value: value as { lines: Line[]; currency: string } };
    },
  },
};

/** From version 2 to 3. */
export function withCurrency<Data extends object>(data: Data): Data & { currency: string } {
  return { ...data, currency: 'GBP' };
}

export const order = aggregate({
  name: 'order',
  initialState: () => ({ totalMills: 0, currency: '', isGift: false }),
  events: {
    'order.placed': {
      version: 3,
      schema: orderSchema,
      // Chained: an event of version 1 goes through both. What old data looks like only its upcaster knows.
      upcast: { 1: (data) => withLines(data as OldOrder), 2: withCurrency },
      apply: (state, { lines, currency }) => ({
        ...state,
        currency,
        totalMills: lines.reduce((sum, { quantity, mills }) => sum + quantity * mills, 0),
      }),
    },
    'order.wrapped': { apply: (state, _data: null) => ({ ...state, isGift: true }) },
  },
  commands: {
    place: { schema: orderSchema, handle: (_state, input, ctx) => ctx.emit('order.placed', input) },
    wrap: { handle: (_state, _input: undefined, ctx) => ctx.emit('order.wrapped', null) },
  },
});
