/**
 * The shipping service: one aggregate per order, shipped once. `order.shipped` is for the world outside.
 *
 * `stop` calls a parcel back that is on its way, or sees to it that it never leaves: whichever of the two comes first.
 */
import { aggregate } from 'troupe';
import { z } from 'zod';

const shipOrder = z.object({ customerId: z.string().nullable(), country: z.string() });
const reason = z.object({ reason: z.string() });

interface ShipmentState {
  readonly status: 'new' | 'shipped' | 'failed' | 'stopped' | 'recalled';
  /** Why no carrier will take it. */
  readonly blocked: string | null;
}

export const shipment = aggregate({
  name: 'shipment',
  initialState: (): ShipmentState => ({ status: 'new', blocked: null }),
  events: {
    'order.shipped': { schema: shipOrder, apply: (state) => ({ ...state, status: 'shipped' }) },
    'shipment.blocked': { schema: reason, apply: (state, data) => ({ ...state, blocked: data.reason }) },
    'shipment.failed': { schema: reason, apply: (state) => ({ ...state, status: 'failed' }) },
    /** It will not leave. */
    'shipment.stopped': { schema: z.object({}), apply: (state) => ({ ...state, status: 'stopped' }) },
    /** It was on its way, and comes back. */
    'shipment.recalled': { schema: z.object({}), apply: (state) => ({ ...state, status: 'recalled' }) },
  },
  commands: {
    ship: {
      schema: shipOrder,
      handle(state, input, ctx) {
        if (state.status === 'shipped') ctx.reject('already-shipped', `order ${ctx.id} is on its way already`);
        if (state.status !== 'new') return state.status;
        if (state.blocked === null) ctx.emit('order.shipped', input);
        else ctx.emit('shipment.failed', { reason: state.blocked });
        return state.blocked === null ? ('shipped' as const) : ('failed' as const);
      },
    },
    block: {
      schema: reason,
      handle(_state, input, ctx) {
        ctx.emit('shipment.blocked', input);
      },
    },
    /** Calls it back, or keeps it from leaving; a second time changes nothing. */
    stop: {
      schema: z.object({}),
      handle(state, _input, ctx) {
        if (state.status === 'new') ctx.emit('shipment.stopped', {});
        if (state.status === 'shipped') ctx.emit('shipment.recalled', {});
      },
    },
  },
  passivateAfter: '5s',
});
