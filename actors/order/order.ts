/**
 * The order service: one aggregate per order, created once with all its lines.
 *
 * The lines travel in `order.created` and are not kept in the state: nobody decides on them later. What the
 * services further down need to know (whom it is for, where it goes, what it costs) travels on in
 * `order.reserved`, so that they need not ask back.
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

interface OrderState {
  readonly status: 'new' | 'created' | 'reserved';
  readonly customerId: string | null;
  readonly country: string;
  readonly lineCount: number;
  readonly totalMills: number;
}

export const order = aggregate({
  name: 'order',
  initialState: (): OrderState => ({ status: 'new', customerId: null, country: '', lineCount: 0, totalMills: 0 }),
  events: {
    'order.created': {
      schema: orderCreated,
      apply: (_state, data) => ({
        status: 'created',
        customerId: data.customerId,
        country: data.country,
        lineCount: data.lines.length,
        totalMills: data.totalMills,
      }),
    },
    'order.reserved': {
      schema: orderReserved,
      apply: (state) => ({ ...state, status: 'reserved' }),
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
        if (input.lineCount !== state.lineCount) {
          ctx.reject('lines-missing', `order ${ctx.id} has ${state.lineCount} lines, ${input.lineCount} are reserved`);
        }
        const { customerId, country, totalMills } = state;
        ctx.emit('order.reserved', { customerId, country, totalMills });
      },
    },
  },
  passivateAfter: '5s',
});
