/** The cast of `event-notification`: an order that knows nobody, and those who care about it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { aggregate, reaction } from 'troupe';

/** Milliseconds that a payment takes. */
export const PAYMENT_MS = 20;

export const order = aggregate({
  name: 'order',
  initialState: () => ({ placed: false }),
  events: {
    'order.created': { apply: (_state, _data: { totalMills: number; pieces: number }) => ({ placed: true }) },
  },
  commands: {
    create: {
      handle: (_state, input: { totalMills: number; pieces: number }, ctx) => ctx.emit('order.created', input),
    },
  },
});

export const stock = aggregate({
  name: 'stock',
  initialState: () => ({ reserved: 0 }),
  events: {
    'stock.reserved': { apply: (state, data: { pieces: number }) => ({ reserved: state.reserved + data.pieces }) },
  },
  commands: { reserve: { handle: (_state, input: { pieces: number }, ctx) => ctx.emit('stock.reserved', input) } },
});

export const payment = aggregate({
  name: 'payment',
  initialState: () => ({ paidMills: 0 }),
  events: {
    'payment.processed': {
      apply: (state, data: { totalMills: number }) => ({ paidMills: state.paidMills + data.totalMills }),
    },
  },
  commands: {
    charge: {
      async handle(_state, input: { totalMills: number }, ctx) {
        await sleep(PAYMENT_MS);
        ctx.emit('payment.processed', input);
      },
    },
  },
});

/** One server for all mails; while it is down each mail fails. */
export const mailServer = aggregate({
  name: 'mail-server',
  initialState: () => ({ up: true, sent: 0 }),
  events: {
    'mail-server.switched': { apply: (state, data: { up: boolean }) => ({ ...state, up: data.up }) },
    'email.sent': { apply: (state, _data: { order: string }) => ({ ...state, sent: state.sent + 1 }) },
  },
  commands: {
    switch: { handle: (_state, input: { up: boolean }, ctx) => ctx.emit('mail-server.switched', input) },
    send: {
      handle(state, input: { order: string }, ctx) {
        if (!state.up) throw new Error('the mail server is down');
        ctx.emit('email.sent', input);
      },
    },
  },
});

export const points = aggregate({
  name: 'points',
  initialState: () => ({ given: 0 }),
  events: { 'points.given': { apply: (state, data: { points: number }) => ({ given: state.given + data.points }) } },
  commands: { give: { handle: (_state, input: { points: number }, ctx) => ctx.emit('points.given', input) } },
});

export const reserveStock = reaction({
  name: 'reserve-stock',
  of: [order],
  on: { 'order.created': (event, ctx) => ctx.tell(stock, event.aggregateId, 'reserve', { pieces: event.data.pieces }) },
});

export const processPayment = reaction({
  name: 'process-payment',
  of: [order],
  on: {
    'order.created': (event, ctx) =>
      ctx.tell(payment, event.aggregateId, 'charge', { totalMills: event.data.totalMills }),
  },
});

export const sendEmail = reaction({
  name: 'send-email',
  of: [order],
  on: { 'order.created': (event, ctx) => ctx.tell(mailServer, 'main', 'send', { order: event.aggregateId }) },
  retry: { attempts: 2, backoff: { min: 5, max: 10 } },
});
