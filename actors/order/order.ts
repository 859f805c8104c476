/**
 * The order service: one aggregate per order, created once with all its lines.
 *
 * What the services further down need to know (whom it is for, where it goes, what it costs) travels on in
 * `order.reserved`, so that they need not ask back; and what a cancelled order holds, in `order.cancelled`. An order
 * that is cancelled while its goods are being set aside holds nothing: whoever sets them aside is told so when it
 * reports (`confirm-reserved`), and gives them back itself.
 */
import { aggregate } from 'troupe';
import { z } from 'zod';

const line = z.object({ sku: z.string(), quantity: z.int().positive(), priceMills: z.int() });

const createOrder = z.object({
  customerId: z.string().nullable(),
  country: z.string(),
  lines: z.array(line).min(1),
  orderedAt: z.int(),
});

const orderCreated = createOrder.extend({ totalMills: z.int() });

const orderReserved = z.object({ customerId: z.string().nullable(), country: z.string(), totalMills: z.int() });

type Lines = z.infer<typeof createOrder>['lines'];

interface OrderState {
  readonly status: 'new' | 'created' | 'reserved' | 'cancelled';
  readonly customerId: string | null;
  readonly country: string;
  readonly lines: Lines;
  readonly totalMills: number;
}

export const order = aggregate({
  name: 'order',
  initialState: (): OrderState => ({ status: 'new', customerId: null, country: '', lines: [], totalMills: 0 }),
  events: {
    'order.created': {
      schema: orderCreated,
      apply: (_state, data) => ({
        status: 'created',
        customerId: data.customerId,
        country: data.country,
        lines: data.lines,
        totalMills: data.totalMills,
      }),
    },
    'order.reserved': {
      schema: orderReserved,
      apply: (state) => ({ ...state, status: 'reserved' }),
    },
    /** `lines`: those whose goods it holds; none when they were not all set aside yet. */
    'order.cancelled': {
      schema: z.object({ reason: z.string(), customerId: z.string().nullable(), lines: z.array(line) }),
      apply: (state) => ({ ...state, status: 'cancelled', lines: [] }),
    },
  },
  commands: {
    create: {
      schema: createOrder,
      handle(state, input, ctx) {
        if (state.status !== 'new') ctx.reject('order-exists', `order ${ctx.id} exists already`);
        let totalMills = 0;
        for (const { quantity, priceMills } of input.lines) totalMills += quantity * priceMills;
        ctx.emit('order.created', { ...input, totalMills });
      },
    },
    'confirm-reserved': {
      schema: z.object({ lineCount: z.int() }),
      handle(state, input, ctx) {
        if (state.status === 'new') ctx.reject('order-unknown', `there is no order ${ctx.id}`);
        if (state.status === 'reserved') ctx.reject('order-reserved', `order ${ctx.id} has its goods already`);
        if (state.status === 'cancelled') return 'cancelled' as const;
        const lineCount = state.lines.length;
        if (input.lineCount !== lineCount) {
          ctx.reject('lines-missing', `order ${ctx.id} has ${lineCount} lines, ${input.lineCount} are reserved`);
        }
        const { customerId, country, totalMills } = state;
        ctx.emit('order.reserved', { customerId, country, totalMills });
        return 'reserved' as const;
      },
    },
    /** Calls the order off, for whatever reason; a second time changes nothing. */
    cancel: {
      schema: z.object({ reason: z.string() }),
      handle(state, { reason }, ctx) {
        if (state.status === 'new') ctx.reject('order-unknown', `there is no order ${ctx.id}`);
        if (state.status === 'cancelled') return;
        const lines = state.status === 'reserved' ? state.lines : [];
        ctx.emit('order.cancelled', { reason, customerId: state.customerId, lines });
      },
    },
  },
  queries: { status: (state) => state.status },
  passivateAfter: '5s',
});
